import { CHECKPOINTS_TOPIC, TOPIC_OF_DERIVED } from '../../contracts/topics.ts';
import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { EventLog } from '../event-log.ts';
import { soundWithin } from './checkpoint-search.adapter.ts';
import { Coverage } from './coverage.ts';
import { treesBeginOf } from './log-following.adapter.ts';
import { covers, witnessedBy, type TrustedKeys, type WitnessedAt } from './recorded-checkpoint.ts';
import { sentMsOf } from './witnessed-before.ts';

/**
 * Adds a partition's decisions to the figures. Reads decisions, outcomes and checkpoints once, side by side.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function coverPartition(
  access: LogAccess,
  partition: number,
  keys: TrustedKeys,
  coverage: Coverage,
): Promise<void> {
  const begin = await treesBeginOf(access, partition);
  if (begin === undefined) return;
  const log = new EventLog(access.reader, access.registry);
  const [decisionsStart, decisionsEnd] = await log.boundsOfDecisions(partition);
  const outcomesEnd = await log.endOf(TOPIC_OF_DERIVED.Outcome, partition);
  const cosigned = new FirstCosigned(access, partition, begin.tapeId, keys);
  const outcomesStart = await access.reader.startOffset(TOPIC_OF_DERIVED.Outcome, partition);
  const outcomes = log.range('Outcome', partition, outcomesStart, outcomesEnd);
  let outcome = await outcomes.next();
  let next = 0;
  for await (const decision of log.range('ProbabilityDecision', partition, decisionsStart, decisionsEnd)) {
    const { sequence, tape } = decision.event;
    // A restarted engine may repeat its last events: the first copy counts.
    if (sequence < next) continue;
    next = sequence + 1;
    for (; outcome.done !== true && outcome.value.event.tape.offset <= tape.offset; outcome = await outcomes.next()) {
      coverage.outcome(outcome.value.event.forecastId, sentMsOf(outcome.value));
    }
    coverage.decision(decision, await cosigned.of(sequence));
  }
  for (; outcome.done !== true; outcome = await outcomes.next()) {
    coverage.outcome(outcome.value.event.forecastId, sentMsOf(outcome.value));
  }
  await cosigned.close();
}

/** The first cosignature of each decision of a partition, asked for in the order of their sequences. */
class FirstCosigned {
  readonly #witnessKeys: TrustedKeys['witnessKeys'];
  readonly #checkpoints: AsyncGenerator<LogCheckpoint, void, undefined>;
  #current: { readonly checkpoint: LogCheckpoint; readonly by: WitnessedAt } | undefined;

  constructor(access: LogAccess, partition: number, tapeId: string, keys: TrustedKeys) {
    this.#witnessKeys = keys.witnessKeys;
    this.#checkpoints = checkpointsForward(access, partition, tapeId, keys);
  }

  async of(sequence: number): Promise<WitnessedAt | 'before-trees' | undefined> {
    while (this.#current === undefined || !covers(this.#current.checkpoint, sequence)) {
      const next = await this.#checkpoints.next();
      if (next.done === true) return undefined;
      const [by] = witnessedBy(next.value, this.#witnessKeys);
      if (by !== undefined) this.#current = { checkpoint: next.value, by };
    }
    const { checkpoint, by } = this.#current;
    return sequence < checkpoint.firstSequence ? 'before-trees' : by;
  }

  async close(): Promise<void> {
    await this.#checkpoints.return();
  }
}

async function* checkpointsForward(
  access: LogAccess,
  partition: number,
  tapeId: string,
  keys: TrustedKeys,
): AsyncGenerator<LogCheckpoint, void, undefined> {
  const start = await access.reader.startOffset(CHECKPOINTS_TOPIC, partition);
  const end = await access.reader.endOffset(CHECKPOINTS_TOPIC, partition);
  const log = { topic: TOPIC_OF_DERIVED.ProbabilityDecision, partition, tapeId };
  for await (const { checkpoint } of soundWithin(access, log, keys, start, end)) yield checkpoint;
}
