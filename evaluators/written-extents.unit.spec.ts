import { expect, it } from 'vitest';
import { DERIVED_TOPICS } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import { offsetsOf } from '../tests/support/memory-log.ts';
import { extentsOf } from './written-extents.adapter.ts';

it('asks for all beginnings of a partition at once, and then for all ends', async () => {
  const asked: string[] = [];
  const answer = (what: string, first: number) => (topics: readonly string[], partition: number) => {
    asked.push(`${what} of ${topics.length} in ${partition}`);
    return Promise.resolve(offsetsOf(topics, (topic) => first + topic.length));
  };
  const reader = { startOffsets: answer('starts', 0), endOffsets: answer('ends', 100) } as unknown as LogReader;
  const extents = await extentsOf(reader, 3);
  expect(asked).toEqual([`starts of ${DERIVED_TOPICS.length + 2} in 3`, `ends of ${DERIVED_TOPICS.length + 2} in 3`]);
  expect([...extents]).toHaveLength(DERIVED_TOPICS.length + 2);
  for (const [topic, extent] of extents) expect(extent).toEqual({ start: topic.length, end: 100 + topic.length });
});
