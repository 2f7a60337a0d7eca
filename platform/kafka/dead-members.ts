import kafkajs, { type Kafka, type PartitionAssigner } from 'kafkajs';
import { hasEnded, processIdentity } from '../process-identity.ts';
import { clientOptions } from './batch-sender.ts';
import { addressOf, withAdmin } from './client.ts';
import { loadLibrary } from './library.ts';

const { AssignerProtocol, PartitionAssigners } = kafkajs;
/** Nobody waits for more: without an answer the group waits for its session timeout, as it did. */
const DEADLINE_MS = 5_000;
const LEFT_BEHIND = 'its process ended without leaving';

/** The group's round robin, by which each member also says which process it belongs to. */
export const identifiedRoundRobin: PartitionAssigner = (tools) => {
  const roundRobin = PartitionAssigners.roundRobin(tools);
  const userData = Buffer.from(processIdentity() ?? '');
  return {
    ...roundRobin,
    protocol: ({ topics }) => ({
      name: roundRobin.name,
      metadata: AssignerProtocol.MemberMetadata.encode({ version: roundRobin.version, topics, userData }),
    }),
  };
};

/**
 * Has those members leave a group whose processes were killed on this machine: the group would wait a session timeout
 * for each. Members of other machines and containers are left to that timeout: nothing tells that they are dead.
 *
 * @returns their ids.
 * @throws TapeproofError UNREACHABLE; the library's error where Kafka refuses it.
 */
export async function dismissDeadMembers(kafka: Kafka, groupId: string): Promise<string[]> {
  const { groups } = await withAdmin(kafka, (admin) => admin.describeGroups([groupId]), DEADLINE_MS);
  const members = groups.flatMap((group) => group.members);
  const dead = members.filter(({ memberMetadata }) => hasEnded(identityIn(memberMetadata)));
  const ids = dead.map(({ memberId }) => memberId);
  if (ids.length > 0) await dismiss(kafka, groupId, ids);
  return ids;
}

/** As a member says it when it joins; empty where it says nothing. */
function identityIn(memberMetadata: Buffer): string {
  try {
    return AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData.toString() ?? '';
  } catch {
    // Of a client with another form.
    return '';
  }
}

async function dismiss(kafka: Kafka, groupId: string, members: readonly string[]): Promise<void> {
  const { Admin } = await loadLibrary();
  const admin = new Admin(clientOptions(addressOf(kafka)));
  try {
    await admin.removeMembersFromConsumerGroup({
      groupId,
      members: members.map((memberId) => ({ memberId, reason: LEFT_BEHIND })),
    });
  } finally {
    await admin.close();
  }
}
