import { canonicalJson } from '../../contracts/canonical-json.ts';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import type { ResearchTrial } from '../../contracts/generated/events.ts';

type Cell = string | number | null;

const COLUMNS: readonly (readonly [name: string, cellOf: (trial: ResearchTrial) => Cell])[] = [
  ['trial_id', ({ trialId }) => trialId],
  ['kind', ({ kind }) => kind],
  ['tried_at', ({ triedAt }) => isoTimeOf(triedAt)],
  ['actor', ({ actor }) => actor],
  ['git_commit', ({ gitCommit }) => gitCommit],
  ['engine_version', ({ engineVersion }) => engineVersion],
  ['config_hash', ({ configHash }) => configHash],
  ['grid_point', ({ gridPoint }) => canonicalJson(gridPoint)],
  ['strategies', ({ strategies }) => canonicalJson(strategies)],
  ['tape_id', ({ tapeId }) => tapeId],
  ['ranges', ({ ranges }) => canonicalJson(ranges)],
  ['file_hashes', ({ fileHashes }) => fileHashes.join(' ')],
  ['selection', ({ selection }) => canonicalJson(selection)],
  ['n', ({ n }) => n],
  ['effective_n', ({ effectiveN }) => effectiveN],
  ['brier', ({ brier }) => brier],
  ['reference_brier', ({ referenceBrier }) => referenceBrier],
  ['skill', ({ skill }) => skill],
  ['skill_ratio', ({ skillRatio }) => skillRatio],
  ['skewness', ({ skewness }) => skewness],
  ['kurtosis', ({ kurtosis }) => kurtosis],
];

/** One line for each trial, below a line of names (RFC 4180). A figure that is not defined is empty. */
export function trialsCsv(trials: readonly ResearchTrial[]): string {
  const lines = [COLUMNS.map(([name]) => name), ...trials.map((trial) => COLUMNS.map(([, cellOf]) => cellOf(trial)))];
  return lines.map((cells) => `${cells.map(textOf).join(',')}\n`).join('');
}

function textOf(cell: Cell): string {
  const text = String(cell ?? '');
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
