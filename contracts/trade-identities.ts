/** Which trades of one instrument are known, by id and event time together: a repeat has both. */
export class TradeIdentities {
  private readonly known = new Set<string>();
  private encodedBytes = 0;

  /** Notes a trade; false when it is there already. */
  add(tradeId: string, eventTimeUs: number): boolean {
    const identity = `${eventTimeUs} ${tradeId}`;
    if (this.known.has(identity)) return false;
    this.known.add(identity);
    this.encodedBytes += identity.length;
    return true;
  }

  has(tradeId: string, eventTimeUs: number): boolean {
    return this.known.has(`${eventTimeUs} ${tradeId}`);
  }

  get size(): number {
    return this.known.size;
  }

  get bytes(): number {
    return this.encodedBytes;
  }
}
