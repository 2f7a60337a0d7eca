/**
 * Which trades of one instrument are known, by id and event time together: a repeat has both. A stand-in that keeps each
 * identity as a text.
 */
export class TradeIdentities {
  private readonly byTime = new Map<number, Set<string>>();
  private readonly identitiesMax: number;
  private count = 0;
  private encodedBytes = 0;
  private forgottenUs = 0;

  constructor({ identitiesMax = Number.POSITIVE_INFINITY }: { readonly identitiesMax?: number } = {}) {
    this.identitiesMax = identitiesMax;
  }

  /** False for a trade so old that it cannot be said whether it was there. */
  canJudge(eventTimeUs: number): boolean {
    return eventTimeUs >= this.forgottenUs;
  }

  /** False when it is there already, or cannot be judged. */
  add(tradeId: string, eventTimeUs: number): boolean {
    if (!this.canJudge(eventTimeUs) || this.count >= this.identitiesMax) return false;
    let ids = this.byTime.get(eventTimeUs);
    if (ids === undefined) this.byTime.set(eventTimeUs, (ids = new Set()));
    if (ids.has(tradeId)) return false;
    ids.add(tradeId);
    this.count += 1;
    this.encodedBytes += tradeId.length + Float64Array.BYTES_PER_ELEMENT;
    return true;
  }

  has(tradeId: string, eventTimeUs: number): boolean {
    return this.byTime.get(eventTimeUs)?.has(tradeId) === true;
  }

  forgetBefore(timeUs: number): void {
    this.forgottenUs = Math.max(this.forgottenUs, timeUs);
    for (const [eventTimeUs, ids] of this.byTime) {
      if (eventTimeUs >= timeUs) continue;
      this.byTime.delete(eventTimeUs);
      this.count -= ids.size;
      for (const id of ids) this.encodedBytes -= id.length + Float64Array.BYTES_PER_ELEMENT;
    }
  }

  get size(): number {
    return this.count;
  }

  get bytes(): number {
    return this.encodedBytes;
  }
}
