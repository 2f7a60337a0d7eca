import { shown } from '../contracts/statement-text.ts';
import { counted } from '../platform/counted.ts';
import { checkpointedLines } from './checkpoints/checkpointed-text.ts';
import type { ActivationSummary, Provenance } from './provenance.ts';

const HASH_DIGITS = 12;

/** Where an event comes from, in lines for people. */
export function provenanceLines({
  tapeId,
  activation,
  sources,
  sourcesNotNamed,
  received,
  derived,
  checkpointed,
}: Provenance): string[] {
  const named = sources.map(({ source, trades }) => `${shown(source)} (${counted(trades, 'trade')})`);
  const more = sourcesNotNamed === 0 ? '' : `, and ${counted(sourcesNotNamed, 'more source')}`;
  return [
    'Provenance:',
    `  tape        ${shown(tapeId)}`,
    `  activation  ${activationText(activation)}`,
    `  by          ${statementText(activation)}`,
    `  trades      from ${named.join(', ')}${more}`,
    `  received    ${received === null ? 'the source does not say when' : `${received.first} to ${received.last}`}`,
    `  derived     ${derivedText(derived)}, by the engine's clock`,
    ...(checkpointed === undefined ? [] : checkpointedLines(checkpointed)),
  ];
}

/** What was put in force, where and when. */
function activationText(activation: ActivationSummary): string {
  const { activationId, offset, at, engineVersion, configHash } = activation;
  return `${shown(activationId)} at offset ${offset}, ${at}: engine ${shown(engineVersion)}, commit ${commitText(activation)}, configuration ${configHash.slice(0, HASH_DIGITS)}`;
}

/** A commit, and whether the code differed from it. */
export function commitText({
  gitCommit,
  hasUncommittedChanges,
}: Pick<ActivationSummary, 'gitCommit' | 'hasUncommittedChanges'>): string {
  const commit = shown(gitCommit);
  if (hasUncommittedChanges === null) return `${commit} (uncommitted changes: unknown)`;
  return hasUncommittedChanges ? `${commit} (with uncommitted changes)` : commit;
}

/** Who, why, and by whose approval. */
export function statementText({
  actor,
  reason,
  approver,
}: Pick<ActivationSummary, 'actor' | 'reason' | 'approver'>): string {
  return `${shown(actor)}; reason: ${shown(reason)}; approved by: ${shown(approver)}`;
}

function derivedText({ decision, outcome }: Provenance['derived']): string {
  const made = decision ?? 'at a time that the record does not say';
  return outcome === null ? made : `${made}, its outcome ${outcome}`;
}
