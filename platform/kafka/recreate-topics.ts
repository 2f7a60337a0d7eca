import type { Admin, Kafka } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TAPE_TOPIC, type TopicName } from '../../contracts/topics.ts';
import { TapeproofError } from '../errors.ts';
import { kafkaUnreachable, withAdmin } from './client.ts';
import { applyTopics, partitionCount, type TopicReport } from './topics.ts';

const POLL_MS = 100;
/** A broker deletes a topic in the background, and refuses its name until then. */
const DELETION_DEADLINE_MS = 30_000;

/**
 * Deletes topics and recreates them empty, with as many partitions as the tape. The tape is never among them:
 * everything else follows from it.
 *
 * @param writers - prefix of the consumer groups that write the topics: no member may be running.
 * @throws TapeproofError USAGE for the tape; CHECK_FAILED while a writer is running; UNREACHABLE, also without a tape.
 */
export async function recreateTopics(
  kafka: Kafka,
  names: readonly TopicName[],
  writers: string,
): Promise<TopicReport[]> {
  if (names.includes(TAPE_TOPIC)) {
    throw new TapeproofError('USAGE', `${TAPE_TOPIC} is the tape, which nothing can bring back: it is never deleted.`);
  }
  const partitions = await partitionCount(kafka);
  await withAdmin(kafka, async (admin) => {
    await refuseWhileWritten(admin, writers);
    const present = await admin.listTopics();
    const topics = names.filter((name) => present.includes(name));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
  const deadlineMs = Date.now() + DELETION_DEADLINE_MS;
  while (true) {
    try {
      const report = await applyTopics(kafka, partitions);
      if (await areEmpty(kafka, names)) return report;
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
    }
    if (Date.now() > deadlineMs) throw kafkaUnreachable();
    await sleep(POLL_MS);
  }
}

/** A topic that is being deleted may still be listed briefly. */
function areEmpty(kafka: Kafka, names: readonly TopicName[]): Promise<boolean> {
  return withAdmin(kafka, async (admin) => {
    const offsets = await Promise.all(names.map((name) => admin.fetchTopicOffsets(name)));
    return offsets.flat().every(({ high }) => high === '0');
  });
}

async function refuseWhileWritten(admin: Admin, writers: string): Promise<void> {
  const { groups } = await admin.listGroups();
  const ids = groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(writers));
  const described = ids.length === 0 ? [] : (await admin.describeGroups(ids)).groups;
  const running = described.find(({ members }) => members.length > 0);
  if (running === undefined) return;
  throw new TapeproofError(
    'CHECK_FAILED',
    `Group ${running.groupId} has ${running.members.length} running: stop what writes the topics, and run this again; a killed process still counts for ten seconds.`,
  );
}
