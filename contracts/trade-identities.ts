/**
 * Which trades of one instrument are known, by id and event time together: a repeat has both. A stand-in that keeps each
 * identity as a text.
 */
export class TradeIdentities {
  private readonly byTime = new Map<number, Set<string>>();
  private count = 0;
  private encodedBytes = 0;

  /** False when it is there already. */
  add(tradeId: string, eventTimeUs: number): boolean {
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
