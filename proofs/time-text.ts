/** ISO 8601 with microseconds. */
export function timeText(timeUs: number): string {
  const micros = String(((timeUs % 1_000) + 1_000) % 1_000).padStart(3, '0');
  return new Date(Math.floor(timeUs / 1_000)).toISOString().replace('Z', `${micros}Z`);
}
