/** A row as the client of Postgres gives it: exact numbers are text. */
export type Row = Readonly<Record<string, string | null>>;

/** Asks Postgres. @throws ApiProblem STORE_DOWN, TOO_SLOW, NOT_SET_UP */
export type Ask = (sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

/** SQL for the microseconds since 1970 of a time; exact. */
export function usOf(time: string): string {
  return `(extract(epoch FROM ${time}) * 1000000)::bigint`;
}

/** SQL for the time of microseconds since 1970; exact. */
export function timeOf(us: string): string {
  return `(timestamptz 'epoch' + ${us}::bigint * interval '1 microsecond')`;
}

export function numberOf(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}
