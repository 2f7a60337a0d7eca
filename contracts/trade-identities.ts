export type TradeIdentitiesState = readonly string[];
export class TradeIdentities {
  private readonly set = new Set<string>();
  static fromState(state: TradeIdentitiesState): TradeIdentities {
    const t = new TradeIdentities();
    for (const key of state) t.set.add(key);
    return t;
  }
  toState(): TradeIdentitiesState {
    return [...this.set];
  }
  add(id: string, time: number): boolean {
    const key = `${time} ${id}`;
    if (this.set.has(key)) return false;
    this.set.add(key);
    return true;
  }
  has(id: string, time: number): boolean {
    return this.set.has(`${time} ${id}`);
  }
  canJudge(_time: number): boolean {
    return true;
  }
  forgetBefore(time: number): void {
    for (const key of this.set) if (Number(key.split(' ')[0]) < time) this.set.delete(key);
  }
}
