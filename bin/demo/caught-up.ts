import { setTimeout as wait } from 'node:timers/promises';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { engineGroup } from '../../evaluators/main.ts';
import { pipeline } from '../../pipeline.ts';
import type { Connections } from '../../platform/connections.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { groupLag } from '../../platform/kafka/group-lag.ts';
import { projectorGroup } from '../../projectors/main.ts';
import { progressBar } from '../progress.ts';

const POLL_MS = 250;

/** Waits until the engine, and then each projector, has committed everything in its topics. */
export async function untilCaughtUp(where: Connections, signal: AbortSignal): Promise<void> {
  const kafka = createKafka(where.kafkaBrokers, 'tapeproof-demo');
  const groups = [
    { title: 'engine', groupId: engineGroup(), topics: [TAPE_TOPIC] },
    ...(await Promise.all(
      pipeline.projectors.all.map(async ({ name, topics }) => ({
        title: name,
        groupId: await projectorGroup(name, where),
        topics: [...topics],
      })),
    )),
  ];
  for (const { title, groupId, topics } of groups) {
    const bar = progressBar(title);
    while (!signal.aborted) {
      const { committed, lag } = await groupLag(kafka, groupId, topics);
      bar.update({ done: committed, total: committed + lag, unit: 'records', count: committed });
      if (lag === 0) break;
      await wait(POLL_MS, undefined, { signal });
    }
    bar.stop();
  }
}
