/** Sessions that are remembered; of more, the nearest. */
const SILENT_SESSIONS_MAX = 64;

/**
 * The sessions, by number, from the current one on, in which a price below 0 was refused: their sums lack that trade. A
 * wrong time stamp silences the session that it names, and no other.
 */
export class SilentSessions {
  private sessions: readonly number[];

  constructor(state: readonly number[] = []) {
    this.sessions = state;
  }

  /** Ascending. */
  toState(): readonly number[] {
    return this.sessions;
  }

  get isEmpty(): boolean {
    return this.sessions.length === 0;
  }

  has(session: number): boolean {
    return this.sessions.includes(session);
  }

  add(session: number, current = Number.NEGATIVE_INFINITY): void {
    if (this.has(session)) return;
    this.sessions = [...this.sessions, session]
      .filter((other) => other >= current)
      .sort((left, right) => left - right)
      .slice(0, SILENT_SESSIONS_MAX);
  }
}
