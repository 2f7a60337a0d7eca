export interface SessionSpan {
  readonly index: number;
  readonly startUs: number;
  readonly endUs: number;
}
export interface SessionCalendar {
  sessionAt(timeUs: number): SessionSpan | undefined;
  after(index: number): SessionSpan;
}
export function sessionCalendarOf(session: { anchorMs: number; lengthMs: number }, _zones: unknown): SessionCalendar {
  const [a, l] = [session.anchorMs * 1000, session.lengthMs * 1000];
  const span = (index: number) => ({ index, startUs: a + index * l, endUs: a + (index + 1) * l });
  return { sessionAt: (t) => span(Math.floor((t - a) / l)), after: (index) => span(index + 1) };
}
export function sessionKeyOf(session: unknown, _zones: unknown): string {
  return JSON.stringify(session);
}
