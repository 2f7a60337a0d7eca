import { partitionOf } from '../../contracts/partitioner.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { passedOverText } from '../../platform/kafka/foreign-records.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { namedInstrument } from '../../platform/named-instrument.ts';
import { auditText } from '../../proofs/audit-text.ts';
import { audit } from '../../proofs/audit.ts';
import { decisionAt, type DecisionAt } from '../../proofs/decision-at.ts';
import type { EventLog } from '../../proofs/event-log.ts';
import { adviceFor, knownInstruments } from '../../proofs/known-instruments.ts';
import { print } from '../context.ts';
import { assertNewFile } from '../new-file.ts';
import { withEvents } from '../with-events.ts';
import { lookupIn, trustedKeysOf, writeProof } from './audit-proof.ts';

export interface AuditCommandOptions {
  readonly latest?: string;
  /** Microseconds. */
  readonly at?: number;
  readonly instrument?: string;
  readonly maxAge?: number;
  readonly trades?: true;
  readonly verify?: true;
  readonly proof?: string;
  readonly logKey: readonly string[];
  readonly witnessKey: readonly string[];
  readonly json?: true;
}

export async function runAudit(id: string | undefined, options: AuditCommandOptions): Promise<void> {
  assertOneForm(id, options);
  const keys = await trustedKeysOf(options);
  if (options.proof !== undefined) await assertNewFile(options.proof, '--proof');
  await withEvents('audit', async ({ log, partitions, reader, registry }) => {
    const at = options.at === undefined ? undefined : await atTime(log, options, options.at, partitions);
    if (at?.isInForce === false) {
      sayNotInForce(at, options.json);
      return;
    }
    const asked = id ?? at?.decision?.eventId ?? (await latestId(log, options, partitions));
    const access = { reader, registry, decode: createTapeDecoder(registry) };
    const report = await audit(log, asked, {
      listTrades: options.trades === true,
      verifyWith: options.verify === true ? access : undefined,
      checkpointedIn: lookupIn(access, keys),
    });
    const proof = options.proof === undefined ? undefined : await writeProof(access, report, keys, options.proof);
    const { passedOver } = log;
    print(
      options.json,
      {
        ...(at === undefined ? {} : { at }),
        ...report,
        ...(proof === undefined ? {} : { proof: proof.data }),
        passedOver,
      },
      () =>
        [
          ...(at === undefined ? [] : atLines(at)),
          auditText(report),
          ...(proof?.lines ?? []),
          ...passedOverText(passedOver),
        ].join('\n'),
    );
    if (report.checks.some((check) => !check.passed) || report.notDerived.length > 0) process.exitCode = 1;
  });
}

/** An id, --latest, or --at with --instrument: options that would be ignored are refused. */
function assertOneForm(id: string | undefined, { latest, at, instrument, maxAge }: AuditCommandOptions): void {
  const forms = [id, latest, at ?? instrument ?? maxAge].filter((form) => form !== undefined);
  const isWhole = (at === undefined) === (instrument === undefined) && (maxAge === undefined || at !== undefined);
  if (forms.length === 1 && isWhole) return;
  const sentence = 'an event id, or --latest INSTRUMENT, or --at TIME with --instrument INSTRUMENT.';
  throw new TapeproofError('USAGE', `Name ${forms.length > 1 ? 'one thing' : 'what'} to audit: ${sentence}`);
}

/** @throws TapeproofError NOT_FOUND when the instrument has no decision. */
async function atTime(
  log: EventLog,
  { instrument: named = '', maxAge: maxAgeMs }: AuditCommandOptions,
  timeUs: number,
  partitions: number,
): Promise<DecisionAt> {
  const instrument = namedInstrument(named);
  const partition = partitionOf(instrument, partitions);
  const found = await decisionAt(log, { instrument, partition, timeUs, maxAgeMs, nowUs: Date.now() * 1_000 });
  return found ?? notFound(log, instrument, partitions);
}

/** No decision was in force: the sentence is the answer, and the exit code is 1. */
function sayNotInForce(at: DecisionAt, json: true | undefined): void {
  if (json === true) print(json, { at }, () => '');
  else throw new TapeproofError('NOT_FOUND', at.sentences.join(' '));
  process.exitCode = 1;
}

function atLines({ sentences, alsoThen }: DecisionAt): string[] {
  const also = alsoThen.length === 0 ? [] : [`Of the same snapshot, by other hit rules: ${alsoThen.join(', ')}.`];
  return [...sentences, ...also, ''];
}

/** The newest decision of the instrument of --latest. */
async function latestId(log: EventLog, { latest = '' }: AuditCommandOptions, partitions: number): Promise<string> {
  const instrument = namedInstrument(latest);
  const found = await log.newestDecision(
    partitionOf(instrument, partitions),
    (decision) => decision.instrument === instrument,
  );
  return found?.event.eventId ?? notFound(log, instrument, partitions);
}

async function notFound(log: EventLog, instrument: string, partitions: number): Promise<never> {
  const advice = adviceFor(instrument, await knownInstruments(log, partitions));
  throw new TapeproofError('NOT_FOUND', `There is no decision for ${instrument}: ${advice}`);
}
