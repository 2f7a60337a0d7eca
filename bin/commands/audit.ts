import type { Command } from 'commander';
import { partitionOf } from '../../contracts/partitioner.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { passedOverText } from '../../platform/kafka/foreign-records.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { partitionCount } from '../../platform/kafka/topics.ts';
import { namedInstrument } from '../../platform/named-instrument.ts';
import { auditText } from '../../proofs/audit-text.ts';
import { audit } from '../../proofs/audit.ts';
import { EventLog } from '../../proofs/event-log.ts';
import { adviceFor, knownInstruments } from '../../proofs/known-instruments.ts';
import { connections, kafkaFor, print } from '../context.ts';

interface AuditCommandOptions {
  readonly latest?: string;
  readonly at?: string;
  readonly instrument?: string;
  readonly trades?: true;
  readonly verify?: true;
  readonly json?: true;
}

export function registerAudit(program: Command): void {
  program
    .command('audit')
    .argument('[id]', 'a decision, outcome, strategy result or snapshot, for example decision-3-10411-0')
    .description('walk a decision back to its trades, straight from Kafka, and check each link')
    .option('--latest <instrument>', 'the latest decision of an instrument')
    .option('--at <time>', 'the last decision at or before a time (ISO 8601); with --instrument')
    .option('--instrument <instrument>', 'instrument of --at')
    .option('--trades', 'list every trade')
    .option('--verify', 'derive it again from the nearest anchor, and compare the bytes')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 every check passed (or the outcome is pending), 1 a check failed or there is no such event, 2 the id is malformed.

Examples:
  $ npx tapeproof audit --latest BTC-USD@bitstamp
  $ npx tapeproof audit decision-3-10411-0 --trades
  $ npx tapeproof audit --at 2025-03-25T23:08:00Z --instrument BTC-USDT@binance --verify`,
    )
    .action(async (id: string | undefined, options: AuditCommandOptions) => {
      assertOneForm(id, options);
      const where = connections();
      const reader = createLogReader(where.kafkaBrokers);
      const registry = createRegistry(where.registryUrl);
      try {
        const log = new EventLog(reader, registry);
        const asked = id ?? (await decisionId(log, options, () => partitionCount(kafkaFor('audit'))));
        const report = await audit(log, asked, {
          listTrades: options.trades === true,
          verifyWith: options.verify === true ? { reader, registry, decode: createTapeDecoder(registry) } : undefined,
        });
        const { passedOver } = log;
        print(options.json, { ...report, passedOver }, () =>
          [auditText(report), ...passedOverText(passedOver)].join('\n'),
        );
        if (report.checks.some((check) => !check.passed)) process.exitCode = 1;
      } finally {
        await reader.close();
      }
    });
}

/** An id, --latest, or --at with --instrument: a form that would be ignored is refused. */
function assertOneForm(id: string | undefined, { latest, at, instrument }: AuditCommandOptions): void {
  const forms = [id, latest, at ?? instrument].filter((form) => form !== undefined);
  if (forms.length <= 1) return;
  throw new TapeproofError(
    'USAGE',
    'Name one thing to audit: an event id, or --latest INSTRUMENT, or --at TIME with --instrument INSTRUMENT.',
  );
}

/** The decision that --latest, or --at with --instrument, asks for. */
async function decisionId(
  log: EventLog,
  options: AuditCommandOptions,
  partitions: () => Promise<number>,
): Promise<string> {
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
    throw new TapeproofError('USAGE', `${JSON.stringify(options.at)} is no time: one looks like 2025-03-25T23:08:00Z.`);
  const partitionsOfTopic = await partitions();
  const found = await log.newestDecision(
    partitionOf(instrument, partitionsOfTopic),
    (decision) => decision.instrument === instrument && decision.eventTime <= timeUs,
  );
  if (found !== undefined) return found.event.eventId;
  const what = `There is no decision for ${instrument}${options.at === undefined ? '' : ` at or before ${options.at}`}`;
  throw new TapeproofError(
    'NOT_FOUND',
    `${what}: ${adviceFor(instrument, await knownInstruments(log, partitionsOfTopic))}`,
  );
}
