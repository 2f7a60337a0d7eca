/** From this share of the room on, nothing more is read from the venue; down to the other, it is read again. */
const HOLD_SHARE = 0.5;
const RELEASE_SHARE = 0.1;
/** Shorter than the silence after which an instrument is requested by REST, and a connection suspected to withhold trades. */
export const HOLD_MS_MAX = 2_500;

/**
 * Whether to read from the venue while trades arrive faster than Kafka takes them: not for a few seconds, so that a
 * burst waits in the sockets on both sides and not one of its trades has to be requested again. Where they do not go
 * on in that time, as while Kafka is down, or where others are missing before them, reading goes on at once: requests
 * do not fill a socket. Pure: milliseconds by a monotonic clock.
 */
export class BackPressure {
  private heldSinceMs: number | undefined;
  private isSpent = false;

  /**
   * @param filledShare of the room of the fullest instrument
   * @param missing trades known to be missing
   */
  holds(filledShare: number, missing: number, nowMs: number): boolean {
    if (filledShare <= RELEASE_SHARE) {
      this.heldSinceMs = undefined;
      this.isSpent = false;
    } else if (this.heldSinceMs !== undefined && (missing > 0 || nowMs - this.heldSinceMs >= HOLD_MS_MAX)) {
      this.heldSinceMs = undefined;
      this.isSpent = true;
    } else if (!this.isSpent && missing === 0 && filledShare >= HOLD_SHARE) {
      this.heldSinceMs ??= nowMs;
    }
    return this.heldSinceMs !== undefined;
  }
}
