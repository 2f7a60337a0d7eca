import { partitionOf } from '../../contracts/partitioner.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { passedOverText } from '../../platform/kafka/foreign-records.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { namedInstrument } from '../../platform/named-instrument.ts';
import { auditText } from '../../proofs/audit-text.ts';
import { audit } from '../../proofs/audit.ts';
import type { EventLog } from '../../proofs/event-log.ts';
import { adviceFor, knownInstruments } from '../../proofs/known-instruments.ts';
import { print } from '../context.ts';
import { withEvents } from '../with-events.ts';

export interface AuditCommandOptions {
  readonly latest?: string;
  readonly at?: string;
  readonly instrument?: string;
  readonly trades?: true;
  readonly verify?: true;
  readonly json?: true;
}

export async function runAudit(id: string | undefined, options: AuditCommandOptions): Promise<void> {
  assertOneForm(id, options);
  await withEvents('audit', async ({ log, partitions, reader, registry }) => {
    const asked = id ?? (await decisionId(log, options, partitions));
    const report = await audit(log, asked, {
      listTrades: options.trades === true,
      verifyWith: options.verify === true ? { reader, registry, decode: createTapeDecoder(registry) } : undefined,
    });
    const { passedOver } = log;
    print(options.json, { ...report, passedOver }, () => [auditText(report), ...passedOverText(passedOver)].join('\n'));
    if (report.checks.some((check) => !check.passed) || report.notDerived.length > 0) process.exitCode = 1;
  });
}

/** An id, --latest, or --at with --instrument: options that would be ignored are refused. */
function assertOneForm(id: string | undefined, { latest, at, instrument }: AuditCommandOptions): void {
  const forms = [id, latest, at ?? instrument].filter((form) => form !== undefined);
  if (forms.length <= 1) return;
  throw new TapeproofError(
    'USAGE',
    'Name one thing to audit: an event id, or --latest INSTRUMENT, or --at TIME with --instrument INSTRUMENT.',
  );
}

/** The decision that --latest, or --at with --instrument, selects. */
async function decisionId(log: EventLog, options: AuditCommandOptions, partitions: number): Promise<string> {
  const named = options.latest ?? options.instrument;
  if (named === undefined || (options.latest === undefined && options.at === undefined)) {
    throw new TapeproofError(
      'USAGE',
      'Name what to audit: an event id, --latest INSTRUMENT, or --at TIME with --instrument INSTRUMENT.',
    );
  }
  const instrument = namedInstrument(named);
  const timeUs = options.latest === undefined ? Date.parse(options.at ?? '') * 1_000 : Infinity;
  if (Number.isNaN(timeUs))
    throw new TapeproofError(
      'USAGE',
      `${JSON.stringify(options.at)} is not a valid time: one looks like 2025-03-25T23:08:00Z.`,
    );
  const found = await log.newestDecision(
    partitionOf(instrument, partitions),
    (decision) => decision.instrument === instrument && decision.eventTime <= timeUs,
  );
  if (found !== undefined) return found.event.eventId;
  const what = `There is no decision for ${instrument}${options.at === undefined ? '' : ` at or before ${options.at}`}`;
  throw new TapeproofError('NOT_FOUND', `${what}: ${adviceFor(instrument, await knownInstruments(log, partitions))}`);
}
