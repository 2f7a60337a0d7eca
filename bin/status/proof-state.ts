import { isoTimeOf } from '../../contracts/iso-time.ts';
import { counted } from '../../platform/counted.ts';
import { createPool, withClient } from '../../platform/postgres.ts';
import { remedyForRoot, type HeldOutput } from '../../projectors/main.ts';
import type { SignedState } from '../../proofs/checkpoints/signed-state.adapter.ts';

/** How far the log and the read models are proven: what `status` shows of it. */

/** Records that are unsigned, or heads that are not cosigned any more, for longer are late: as in docs/metrics.md. */
const LATE_S = 300;
const MS_PER_S = 1_000;

/** What oracle-check found so far. */
export interface OracleState {
  readonly agrees: number;
  readonly diverges: number;
  readonly notChecked: number;
  /** Market time of the newest snapshot that was drawn, microseconds since 1970; null where none was. */
  readonly untilUs: number | null;
}

export async function oracleState(postgresUrl: string, name: string): Promise<OracleState> {
  const pool = createPool(postgresUrl, name);
  try {
    return await withClient(pool, async (client) => {
      const { rows: present } = await client.query<{ present: boolean }>(
        `SELECT to_regclass('tapeproof.oracle_results') IS NOT NULL AS present`,
      );
      if (present[0]?.present !== true) return { agrees: 0, diverges: 0, notChecked: 0, untilUs: null };
      const { rows } = await client.query<OracleState>(
        `SELECT coalesce(sum(snapshots) FILTER (WHERE result = 'AGREES'), 0)::float8 AS agrees,
                coalesce(sum(snapshots) FILTER (WHERE result = 'DIVERGES'), 0)::float8 AS diverges,
                coalesce(sum(snapshots) FILTER (WHERE result = 'NOT_CHECKED'), 0)::float8 AS "notChecked",
                floor(extract(epoch FROM max(to_time)) * 1000000)::float8 AS "untilUs"
           FROM tapeproof.oracle_results`,
      );
      return rows[0] ?? { agrees: 0, diverges: 0, notChecked: 0, untilUs: null };
    });
  } finally {
    void pool.end();
  }
}

export function oracleText({ agrees, diverges, notChecked, untilUs }: OracleState): string {
  if (untilUs === null) return 'no snapshot was checked: "npx tapeproof projector run oracle-check" draws some';
  const wrong = diverges === 0 ? 'none diverges' : `${diverges.toLocaleString('en')} DIVERGE`;
  return `${counted(agrees, 'snapshot')} recomputed and equal, ${wrong}, ${notChecked.toLocaleString('en')} not checked, until ${isoTimeOf(untilUs)}`;
}

export function oracleAttention({ diverges }: OracleState): readonly string[] {
  if (diverges === 0) return [];
  return [
    `oracle-check: the trades do not confirm ${counted(diverges, 'published snapshot')}: "npx tapeproof oracle" shows where.`,
  ];
}

/** @param states - of all logs. */
export function checkpointsText(states: readonly SignedState[], nowMs: number): readonly string[] {
  if (states.length === 0) {
    return ['none: nobody signs the heads of the logs; "npx tapeproof checkpoints run --key FILE" does'];
  }
  const newestMs = Math.max(...states.map(({ signedAt }) => signedAt / MS_PER_S));
  const records = states.reduce((sum, { size }) => sum + size, 0);
  const witnesses = [...new Set(states.flatMap((state) => state.witnesses))].sort();
  const cosigned = states.filter((state) => state.witnesses.length > 0).length;
  return [
    `${counted(states.length, 'log')} of ${counted(records, 'record')} signed, the last ${ageText(newestMs, nowMs)} ago`,
    witnesses.length === 0
      ? 'cosigned by nobody: without a witness they prove no time'
      : `${cosigned} of them cosigned, by ${witnesses.join(', ')}`,
    ...lateLogs(states, nowMs).map(({ state, what }) => `${state.topic}-${state.partition}: LATE, ${what}`),
  ];
}

export function checkpointsAttention(states: readonly SignedState[], nowMs: number): readonly string[] {
  const late = lateLogs(states, nowMs);
  const [first] = late;
  if (first === undefined) return [];
  const { topic, partition } = first.state;
  return [
    `Checkpoints are late, more than ${LATE_S} s, for ${counted(late.length, 'log')} (${topic}-${partition}: ${first.what}): is "npx tapeproof checkpoints run" running? Look at its /ready and its log.`,
  ];
}

function lateLogs(states: readonly SignedState[], nowMs: number) {
  const isLate = (sinceMs: number | null): sinceMs is number => sinceMs !== null && nowMs - sinceMs > LATE_S * MS_PER_S;
  return states.flatMap((state) => {
    const { unsignedSinceMs, uncosignedSinceMs, witnesses } = state;
    if (isLate(unsignedSinceMs)) {
      return [{ state, what: `a record has been unsigned for ${ageText(unsignedSinceMs, nowMs)}` }];
    }
    if (!isLate(uncosignedSinceMs)) return [];
    return [{ state, what: `${witnesses.join(', ')} has not cosigned for ${ageText(uncosignedSinceMs, nowMs)}` }];
  });
}

function ageText(sinceMs: number, nowMs: number): string {
  return counted(Math.max(0, Math.round((nowMs - sinceMs) / MS_PER_S)), 'second');
}

/** How many of the engine's roots the stored events of a projector agree with. */
export function rootsText(outputs: readonly HeldOutput[]): string {
  if (outputs.length === 0) return 'none';
  const sum = (key: 'agreeing' | 'differing' | 'awaited') => outputs.reduce((total, output) => total + output[key], 0);
  const [agreeing, wrong] = [sum('agreeing'), sum('differing') + sum('awaited')];
  return `${agreeing.toLocaleString('en')} agree${wrong === 0 ? '' : `, ${wrong.toLocaleString('en')} DO NOT`}`;
}

export function rootsAttention(byProjector: Readonly<Record<string, readonly HeldOutput[]>>): readonly string[] {
  return Object.entries(byProjector).flatMap(([projector, outputs]) =>
    outputs
      .filter(({ differing, awaited }) => differing + awaited > 0)
      .map(
        ({ topic, partition, differing, awaited, difference }) =>
          `${projector}: the events of ${topic}-${partition} are not those of ${counted(differing + awaited, 'anchor')} of the engine (${difference ?? ''}; views tapeproof.root_checks and tapeproof.events_in_doubt): ${remedyForRoot(projector)}.`,
      ),
  );
}
