import { encodeBody, FINGERPRINTS } from '../contracts/codec.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf, contentOf } from '../evaluators/derive.ts';
import type { LogAccess } from '../evaluators/anchor-log.adapter.ts';
import { NO_HEADERS, type LogRecord } from '../platform/kafka/log-record.ts';
import { TapeRun } from '../proofs/laboratory/tape-steps.ts';
import { ScoreboardCount } from '../proofs/scoreboard/scoreboard.ts';
import { figureOf, type Figure } from './figure.ts';
import { syntheticTrades } from './trades.ts';

const TRADES = 1_000_000;
/** Of one instrument: 30 for each snapshot at the default cadence, as in the other measurements. */
const TRADES_PER_SECOND = 30;
/** About a fetch of one mebibyte. */
const FETCH_RECORDS = 10_000;
const PER_CPU_SECOND_AT_LEAST = 300_000;
const MICROSECONDS_PER_SECOND = 1_000_000;

/**
 * Trades per CPU-second that a what-if or a backtest steps and scores, on a tape that is decoded already. Needs no
 * services.
 */
export async function measureLaboratory(runs: number): Promise<Figure[]> {
  const contents = decodedTape();
  const values: number[] = [];
  for (let run = 0; run < runs; run += 1) values.push(await ratePerCpuSecond(contents));
  const how = `${TRADES.toLocaleString('en')} decoded trades of 12 instruments, stepped and scored, with all threads`;
  return [figureOf('laboratory', 'trades per CPU-second', values, how, { atLeast: PER_CPU_SECOND_AT_LEAST })];
}

function decodedTape(): readonly TapeContent[] {
  const identity = { tapeId: 'bench', activationId: 'bench', gitCommit: 'unknown' };
  const activation = activationOf(parseConfiguration({}), identity);
  const body = encodeBody('EngineActivated', activation);
  const first: TapeContent = { kind: 'activation', activation, fingerprint: FINGERPRINTS.EngineActivated, body };
  return [first, ...Array.from(syntheticTrades(TRADES, TRADES_PER_SECOND), contentOf)];
}

async function ratePerCpuSecond(contents: readonly TapeContent[]): Promise<number> {
  const part = { partition: 0, from: 0, to: contents.length };
  const configuration = parseConfiguration({ hitRule: { horizonMs: 60_000 } });
  const run = new TapeRun(inMemory(contents), part, { isUnproven: true }, { configuration });
  const count = new ScoreboardCount();
  const before = process.cpuUsage();
  for await (const { derived } of run.steps()) {
    for (const { topic, event } of derived) count.observe(topic, event);
  }
  const { user, system } = process.cpuUsage(before);
  return (TRADES * MICROSECONDS_PER_SECOND) / (user + system);
}

/** A tape whose records are decoded by looking them up. */
function inMemory(contents: readonly TapeContent[]): LogAccess {
  const records = contents.map((_, offset): LogRecord => ({
    ...{ topic: TAPE_TOPIC, partition: 0, offset, key: null, value: null, headers: NO_HEADERS, timestampMs: 0 },
  }));
  const access = {
    reader: {
      async *read() {
        for (let from = 0; from < records.length; from += FETCH_RECORDS) {
          yield await Promise.resolve(records.slice(from, from + FETCH_RECORDS));
        }
      },
    },
    decode: (record: LogRecord) => contents[record.offset],
  };
  return access as unknown as LogAccess;
}
