import { setTimeout as wait } from 'node:timers/promises';
import type { Trade } from '../../contracts/generated/events.ts';
import { appendTrades } from '../tape.ts';
import { syntheticTrades } from '../trades.ts';
import type { Arena, ContenderName, LastingContender } from './contenders.ts';
import { endOf, observeProcess, recordsIn } from './measurement.ts';

/** Appended after the end; enough for a decision of each instrument, at 100 to a snapshot. */
export const NEW_TRADES = 5_000;
const POLL_MS = 20;
const MILLISECONDS_PER_SECOND = 1_000;
const RECOVERY_DEADLINE_MS = 300_000;

/** How long a contender is silent after its process was killed. */
export interface RecoveryReport {
  readonly contender: ContenderName;
  /** Trades behind its state. */
  readonly trades: number;
  /** From the start of the new process to its first new output. */
  readonly seconds: number;
}

/**
 * Kills a contender that has derived the whole tape, appends trades, and starts it again. The time that its group waits
 * for the member that vanished is part of it.
 *
 * @param trades - on the tape now.
 */
export async function measureRecovery(
  { bench, kafka }: Arena,
  contender: LastingContender,
  trades: number,
  tradesPerSnapshot: number,
): Promise<RecoveryReport> {
  await contender.reset();
  const former = await contender.start();
  const observing = observeProcess(kafka, { ...former, ...contender }, trades);
  await observing.finally(() => process.kill(former.pid, 'SIGKILL'));
  await former.ended.catch(() => undefined);
  await appendTrades(bench, newTrades(trades, tradesPerSnapshot));
  const admin = kafka.admin();
  await admin.connect();
  const before = await recordsIn(admin, contender.topics);
  const startedAtMs = performance.now();
  const running = await contender.start();
  const endedEarly = endOf({ ...running, ...contender });
  try {
    while ((await recordsIn(admin, contender.topics)) === before) {
      if (performance.now() - startedAtMs > RECOVERY_DEADLINE_MS) throw new Error(`${contender.name} does not recover`);
      await Promise.race([wait(POLL_MS), endedEarly]);
    }
    const seconds = (performance.now() - startedAtMs) / MILLISECONDS_PER_SECOND;
    return { contender: contender.name, trades, seconds };
  } finally {
    await running.stop().catch(() => undefined);
    await admin.disconnect();
  }
}

/** The trades that follow those on the tape. */
function* newTrades(trades: number, tradesPerSnapshot: number): Generator<Trade> {
  let index = 0;
  for (const trade of syntheticTrades(trades + NEW_TRADES, tradesPerSnapshot)) {
    if (index >= trades) yield trade;
    index += 1;
  }
}
