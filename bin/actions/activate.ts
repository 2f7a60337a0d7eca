import { activate } from '../../evaluators/activate.adapter.ts';
import { canonicalConfiguration, ENGINE_VERSION } from '../../evaluators/configuration.ts';
import type { ActivationStatement } from '../../evaluators/activation-terms.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createLog } from '../../platform/log.ts';
import { shown } from '../../contracts/statement-text.ts';
import { doubtsAbout, knownInstruments } from '../../proofs/known-instruments.ts';
import type { JsonOption } from '../commands/options.ts';
import { answeringKafka, connections, print, readConfiguration } from '../context.ts';
import { buildSource, type BuildSource } from '../git-commit.ts';
import { activationActor } from '../operator-name.ts';
import { withEvents } from '../with-events.ts';

export interface ActivateOptions extends JsonOption {
  readonly config: string;
  /** Empty where nothing is stated. */
  readonly actor: string;
  readonly reason: string;
  readonly approver: string;
  readonly allowDirty?: true;
  readonly revoke: readonly string[];
}

/** Allows uncommitted code like --allow-dirty does. */
const ALLOW_DIRTY_VARIABLE = 'TAPEPROOF_ALLOW_DIRTY';

export async function activateEngine(options: ActivateOptions): Promise<void> {
  const { config, json } = options;
  const configuration = await readConfiguration(config);
  const source = await buildSource();
  refuseUncommitted(source, options.allowDirty === true || process.env[ALLOW_DIRTY_VARIABLE] === '1');
  const { commit, hasUncommittedChanges } = source;
  const statement = await statementOf(options, hasUncommittedChanges);
  await answeringKafka('activate');
  const report = await activate({
    connections: connections(),
    configuration: canonicalConfiguration(configuration),
    engineVersion: ENGINE_VERSION,
    gitCommit: commit,
    statement,
    log: createLog('activate', 'error'),
  });
  print(json, report, () => describeActivation(report));
  if (report.action === 'activated' && statement.reason === null) {
    process.stderr.write('No reason was stated: --reason TEXT would record one.\n');
  }
  await sayDoubts(Object.keys(configuration.instruments));
}

/** @throws TapeproofError USAGE for code that nobody could check out again, unless that is allowed. */
export function refuseUncommitted({ hasUncommittedChanges }: BuildSource, isAllowed: boolean): void {
  if (hasUncommittedChanges !== true || isAllowed) return;
  throw new TapeproofError(
    'USAGE',
    'The code has uncommitted changes, and nobody else could derive the same events again: commit them, or add --allow-dirty, which the activation records.',
  );
}

async function statementOf(
  { actor, reason, approver, revoke: revokes }: ActivateOptions,
  hasUncommittedChanges: boolean | null,
): Promise<ActivationStatement> {
  if (revokes.length > 0 && reason === '') {
    throw new TapeproofError('USAGE', 'A revocation needs its reason: add --reason TEXT.');
  }
  return {
    actor: actor === '' ? await activationActor() : actor,
    reason: reason === '' ? null : reason,
    approver: approver === '' ? null : approver,
    ...{ hasUncommittedChanges, revokes },
  };
}

/** A mistyped name cannot be an error, for its first trade may be yet to come. */
async function sayDoubts(configured: readonly string[]): Promise<void> {
  if (configured.length === 0) return;
  await withEvents('activate', async ({ log, partitions }) => {
    for (const doubt of doubtsAbout(configured, await knownInstruments(log, partitions))) {
      process.stderr.write(`${doubt}\n`);
    }
  });
}

function describeActivation(report: Awaited<ReturnType<typeof activate>>): string {
  const lines = report.partitions.map(
    ({ partition, offset, action }) => `  partition ${partition}  offset ${offset}  ${action}`,
  );
  const { actor, reason, approver, revokes } = report.statement;
  const stated = `by ${shown(actor)}, reason: ${shown(reason)}, approved by: ${shown(approver)}`;
  return [
    `Engine ${ENGINE_VERSION}, configuration ${report.configHash.slice(0, 12)}, tape ${report.tapeId}:`,
    `  activation ${shown(report.activationId)} ${stated}${report.action === 'activated' ? '' : ` (${report.action}: as it was stated then)`}`,
    ...revokes.map((id) => `  revokes the activation ${shown(id)}`),
    ...lines,
  ].join('\n');
}
