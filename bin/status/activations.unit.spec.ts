import { describe, expect, it } from 'vitest';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, run, traded } from '../../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../../evaluators/partition-task.ts';
import { MemoryLog } from '../../tests/support/memory-log.ts';
import { activationsOf, RECORDS_AT_AN_END } from './activations.ts';

const identity = { tapeId: 'tape', activationId: 'activation', gitCommit: 'a-commit' };
const activation = activated(activationOf(parseConfiguration({}), identity));
const trades = syntheticTrades({ seed: 7, count: 2 * RECORDS_AT_AN_END + 10, meanGapSeconds: 3 }).map((trade) =>
  traded(trade),
);

/** A tape of one partition with the activation after some of its trades. */
function tapeWith(before: number): MemoryLog {
  const log = new MemoryLog();
  const contents = [...trades.slice(0, before), activation, ...trades.slice(before)];
  log.append(
    contents.map(({ kind, body }) => ({
      ...{ topic: TAPE_TOPIC, partition: 0, key: null, timestampUs: 0, body },
      type: kind === 'trade' ? 'Trade' : 'EngineActivated',
    })),
  );
  return log;
}

describe('the activation of a tape that no engine has read', () => {
  it.each([
    ['before its trades', 0],
    ['after many of them', trades.length],
  ])('is found %s', async (_where, before) => {
    expect(await activationsOf(tapeWith(before).access, 1)).toEqual([
      expect.objectContaining({ asOfOffset: before, gitCommit: 'a-commit', isAnchored: false }),
    ]);
  });

  it('is not read out of a long tape', async () => {
    const log = tapeWith(RECORDS_AT_AN_END + 5);
    expect(await activationsOf(log.access, 1)).toEqual([]);
    expect(log.ranges.filter(({ topic }) => topic === TAPE_TOPIC)).toHaveLength(2);
  });
});

it('is the one of the newest anchor, once there is one', async () => {
  const log = tapeWith(0);
  const [anchor] = run(createPartitionTask(0), [activation]).flatMap((advance) => advance.anchor ?? []);
  if (anchor === undefined) expect.fail('there is no anchor');
  log.appendAnchor(anchor);
  expect(await activationsOf(log.access, 1)).toEqual([expect.objectContaining({ asOfOffset: 1, isAnchored: true })]);
});
