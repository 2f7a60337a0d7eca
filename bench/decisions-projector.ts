import { projectFields } from '../projectors/field-rows.ts';
import { runProjector, type ProjectorRun } from '../projectors/main.ts';
import { postgresHistory } from '../projectors/postgres-history/projector.ts';
import { DECISIONS } from '../projectors/postgres-history/tables.ts';
import { groupOf } from '../projectors/runner.adapter.ts';
import type { FieldRow, PostgresProjector } from '../projectors/projector.ts';

/** A decision's row as `postgres-history` writes it: the columns, and the fields that fill them. */
export const DECISION_ROW: FieldRow = decisionRow();

/**
 * `postgres-history` with one of its topics and one of its tables, for a comparison with a sink that writes one row for
 * each record. All else is the same: sequences, hashes, duplicates, positions, the engine's roots.
 */
const DECISIONS_ONLY: PostgresProjector = {
  ...postgresHistory,
  name: 'bench-decisions',
  topics: ['probability.decisions'],
  schema: 'bench_decisions',
  tables: [DECISIONS],
  views: {},
  fieldRows: { ProbabilityDecision: [DECISION_ROW] },
  project: (source) => (source.type === 'ProbabilityDecision' ? projectFields([DECISION_ROW], source) : []),
};

/** The table that {@link runDecisionsProjector} writes, as SQL names it. */
export const DECISIONS_TABLE = `${DECISIONS_ONLY.schema}_1.${DECISIONS.name}`;

/** The consumer group of {@link runDecisionsProjector}. */
export const DECISIONS_GROUP = groupOf(DECISIONS_ONLY.name, 1);

export async function runDecisionsProjector(run: Omit<ProjectorRun, 'name'>): Promise<void> {
  await runProjector({ ...run, name: DECISIONS_ONLY.name }, DECISIONS_ONLY);
}

function decisionRow(): FieldRow {
  const row = postgresHistory.fieldRows?.ProbabilityDecision?.find(({ table }) => table === DECISIONS);
  if (row === undefined) throw new Error(`${postgresHistory.name} has no row for a decision`);
  return row;
}
