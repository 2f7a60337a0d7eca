import type { OffsetsByTopicPartition } from 'kafkajs';
import { setImmediate as answered } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { OffsetCommits, type AppliedOffset } from './offset-commits.ts';

/** A membership whose commits end as the test decides. */
function recordedMembership() {
  const requests: { readonly offsets: Record<string, string>; readonly answer: PromiseWithResolvers<undefined> }[] = [];
  const waiting: (() => void)[] = [];
  return {
    requests,
    async requested(count: number): Promise<void> {
      while (requests.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async commitOffsetsIfNecessary({ topics }: OffsetsByTopicPartition = { topics: [] }): Promise<void> {
      const offsets = topics.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset }) => [`${topic} ${partition}`, offset] as const),
      );
      const answer = Promise.withResolvers<undefined>();
      requests.push({ offsets: Object.fromEntries(offsets), answer });
      for (const resolve of waiting.splice(0)) resolve();
      await answer.promise;
    },
  };
}

function commitsOf(): { commits: OffsetCommits; committed: AppliedOffset[]; errors: Error[] } {
  const committed: AppliedOffset[] = [];
  const errors: Error[] = [];
  const commits = new OffsetCommits({
    onCommitted: (applied) => committed.push(applied),
    onError: (error) => errors.push(error),
  });
  return { commits, committed, errors };
}

const at = (partition: number, offset: number): AppliedOffset => ({ topic: 'tape', partition, offset });

describe('offset commits', () => {
  it('send the newest offset of each partition in one request, and wait for no batch to do so', async () => {
    const { commits, committed } = commitsOf();
    const membership = recordedMembership();
    commits.applied(at(0, 10), membership);
    commits.applied(at(1, 20), membership);
    commits.applied(at(0, 11), membership);
    expect(membership.requests).toEqual([]);
    await membership.requested(1);
    membership.requests[0]?.answer.resolve(undefined);
    expect(membership.requests[0]?.offsets).toEqual({ 'tape 0': '11', 'tape 1': '20' });
    await answered();
    await commits.flush();
    expect(membership.requests).toHaveLength(1);
    expect(committed).toEqual([at(0, 11), at(1, 20)]);
    commits.close();
  });

  it('send unasked the offsets applied while a request was under way', async () => {
    const { commits, committed } = commitsOf();
    const membership = recordedMembership();
    commits.applied(at(0, 10), membership);
    await membership.requested(1);
    commits.applied(at(0, 11), membership);
    membership.requests[0]?.answer.resolve(undefined);
    await membership.requested(2);
    membership.requests[1]?.answer.resolve(undefined);
    expect(membership.requests[1]?.offsets).toEqual({ 'tape 0': '11' });
    await answered();
    expect(committed).toEqual([at(0, 10), at(0, 11)]);
    commits.close();
  });

  it('send again the offsets that the broker did not accept', async () => {
    const { commits, committed, errors } = commitsOf();
    const membership = recordedMembership();
    commits.applied(at(0, 10), membership);
    await membership.requested(1);
    membership.requests[0]?.answer.reject(new Error('not now'));
    await membership.requested(2);
    membership.requests[1]?.answer.resolve(undefined);
    expect(membership.requests[1]?.offsets).toEqual({ 'tape 0': '10' });
    expect(errors.map(({ message }) => message)).toEqual(['not now']);
    await answered();
    expect(committed).toEqual([at(0, 10)]);
    commits.close();
  });

  it('are sent at once on a flush, though another request is under way', () => {
    const { commits } = commitsOf();
    const membership = recordedMembership();
    commits.applied(at(0, 10), membership);
    void commits.flush();
    commits.applied(at(0, 11), membership);
    void commits.flush();
    expect(membership.requests.map(({ offsets }) => offsets)).toEqual([{ 'tape 0': '10' }, { 'tape 0': '11' }]);
    commits.close();
  });

  it('end with the membership', async () => {
    const { commits } = commitsOf();
    const membership = recordedMembership();
    commits.applied(at(0, 10), membership);
    commits.close();
    commits.applied(at(0, 11), membership);
    await commits.flush();
    expect(membership.requests).toEqual([]);
  });
});
