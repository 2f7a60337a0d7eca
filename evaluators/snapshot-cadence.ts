/**
 * When snapshots of one instrument are due: at the first on-time trade of each interval, for which `floor(t / cadence)`
 * must grow. Without a cadence, at each on-time trade. Times in microseconds.
 */
export class SnapshotCadence {
  private cadenceUs: number;
  private last: number | null;
  private nextUs: number;

  /** @param lastUs - time of the last snapshot's trade; null before the first. */
  constructor(cadenceUs: number, lastUs: number | null) {
    this.cadenceUs = cadenceUs;
    this.last = lastUs;
    this.nextUs = this.after(lastUs);
  }

  get lastUs(): number | null {
    return this.last;
  }

  isDue(timeUs: number): boolean {
    return timeUs >= this.nextUs;
  }

  /** Notes a snapshot. */
  taken(timeUs: number): void {
    this.last = timeUs;
    this.nextUs = this.after(timeUs);
  }

  adopt(cadenceUs: number): void {
    this.cadenceUs = cadenceUs;
    this.nextUs = this.after(this.last);
  }

  /** The snapshots so far were at wrong times. */
  restart(): void {
    this.last = null;
    this.nextUs = 0;
  }

  private after(timeUs: number | null): number {
    if (timeUs === null || this.cadenceUs === 0) return 0;
    return (Math.floor(timeUs / this.cadenceUs) + 1) * this.cadenceUs;
  }
}
