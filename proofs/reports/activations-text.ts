import { shown } from '../../contracts/statement-text.ts';
import { counted } from '../../platform/counted.ts';
import { csvOf, foreignText, type CsvColumn } from '../csv.ts';
import { commitText, statementText } from '../provenance-text.ts';
import type { ReportedActivation } from './activations.ts';
import type { ConfigurationChange } from './configuration-changes.ts';

const HASH_DIGITS = 12;
/** Changed keys that are shown one by one. */
const CHANGES_SHOWN_MAX = 20;

/** The activations of a tape, for people. */
export function activationsText(activations: readonly ReportedActivation[]): string {
  if (activations.length === 0) return 'There is no activation on the tape: "npx tapeproof activate" appends one.';
  return [...activations.map(activationText), `${counted(activations.length, 'activation')}.`].join('\n\n');
}

function activationText(activation: ReportedActivation): string {
  const { at, activationId, tapeId, engineVersion, configHash, places, missingIn, changes, revokes, revokedBy, fault } =
    activation;
  return [
    `${at}  ${shown(activationId)}`,
    `  tape           ${shown(tapeId)}`,
    `  engine         ${shown(engineVersion)}, commit ${commitText(activation)}`,
    `  configuration  ${shown(configHash).slice(0, HASH_DIGITS)}${changes === null ? ', the first' : changesText(changes)}`,
    ...(changes ?? []).slice(0, CHANGES_SHOWN_MAX).map((change) => `                 ${changeText(change)}`),
    `  by             ${statementText(activation)}`,
    `  at offset      ${places.map(({ partition, offset }) => `${partition}:${offset}`).join('  ')}  (partition:offset)`,
    ...(missingIn.length === 0
      ? []
      : [`  missing in     ${missingIn.join(', ')}: "npx tapeproof activate" completes the last one`]),
    ...revokes.map((id) => `  revokes        ${shown(id)}`),
    ...(revokedBy === null ? [] : [`  revoked by     ${shown(revokedBy)}`]),
    ...(fault === null ? [] : [`  NOT ACCEPTED   ${shown(fault)}`]),
  ].join('\n');
}

function changesText(changes: readonly ConfigurationChange[]): string {
  if (changes.length === 0) return ', the same as before';
  const more = changes.length > CHANGES_SHOWN_MAX ? `, the first ${CHANGES_SHOWN_MAX}` : '';
  return `, ${counted(changes.length, 'key')} changed${more}:`;
}

function changeText({ key, from, to }: ConfigurationChange): string {
  return `${shown(key)}: ${from === null ? 'missing' : shown(from)} → ${to === null ? 'missing' : shown(to)}`;
}

const COLUMNS: readonly CsvColumn<ReportedActivation>[] = [
  ['at', ({ at }) => at],
  ['activation_id', ({ activationId }) => foreignText(activationId)],
  ['tape_id', ({ tapeId }) => foreignText(tapeId)],
  ['engine_version', ({ engineVersion }) => foreignText(engineVersion)],
  ['git_commit', ({ gitCommit }) => foreignText(gitCommit)],
  ['has_uncommitted_changes', ({ hasUncommittedChanges }) => hasUncommittedChanges],
  ['config_hash', ({ configHash }) => foreignText(configHash)],
  ['changed_keys', ({ changes }) => foreignText(changes?.map(({ key }) => key).join(' ') ?? null)],
  ['actor', ({ actor }) => foreignText(actor)],
  ['reason', ({ reason }) => foreignText(reason)],
  ['approver', ({ approver }) => foreignText(approver)],
  ['places', ({ places }) => places.map(({ partition, offset }) => `${partition}:${offset}`).join(' ')],
  ['missing_in', ({ missingIn }) => missingIn.join(' ')],
  ['revokes', ({ revokes }) => foreignText(revokes.join(' '))],
  ['revoked_by', ({ revokedBy }) => foreignText(revokedBy)],
  ['fault', ({ fault }) => foreignText(fault)],
];

/** One line for each activation. */
export function activationsCsv(activations: readonly ReportedActivation[]): string {
  return csvOf(COLUMNS, activations);
}
