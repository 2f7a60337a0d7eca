import type { Admin } from 'kafkajs';

/**
 * What a cluster of this many brokers owes each record: a copy on three of them, two of which have it before it is
 * acknowledged, and no leader without it. Then one broker may fail without a record lost or a write refused, and while
 * two have failed Kafka refuses what it could lose.
 */
const DURABLE_BROKERS_MIN = 3;
export const REPLICAS_MIN = 3;
export const IN_SYNC_REPLICAS_MIN = 2;

export const IN_SYNC_SETTING = 'min.insync.replicas';
export const IN_SYNC_EXPECTED = atLeast(IN_SYNC_REPLICAS_MIN);
export const REPLICAS_EXPECTED = atLeast(REPLICAS_MIN);

/** The topic settings of a durable topic, besides those of contracts/topics.ts. */
export const DURABLE_SETTINGS: Readonly<Record<string, string>> = { [IN_SYNC_SETTING]: String(IN_SYNC_REPLICAS_MIN) };

/** A broker's defaults for topics that others create: the registry's, and Kafka's own for the offsets of groups. */
const BROKER_MINIMA: Readonly<Record<string, number>> = {
  'default.replication.factor': REPLICAS_MIN,
  'offsets.topic.replication.factor': REPLICAS_MIN,
  [IN_SYNC_SETTING]: IN_SYNC_REPLICAS_MIN,
};

/** Whether topics are held to it. A broker that failed still counts: its replicas are in the metadata. */
export async function isDurableCluster(admin: Admin, replicas: ReadonlyMap<string, number>): Promise<boolean> {
  if ([...replicas.values()].some((count) => count >= REPLICAS_MIN)) return true;
  const { brokers } = await admin.describeCluster();
  return brokers.length >= DURABLE_BROKERS_MIN;
}

export interface BrokerSetting {
  readonly setting: string;
  readonly expected: string;
  readonly actual: string;
}

/** The defaults of a broker by which a topic of others would be lost with one broker. */
export function weakDefaults(settings: ReadonlyMap<string, string>): BrokerSetting[] {
  return Object.entries(BROKER_MINIMA).flatMap(([setting, least]) => {
    const actual = settings.get(setting);
    return actual === undefined || Number(actual) >= least ? [] : [{ setting, expected: atLeast(least), actual }];
  });
}

function atLeast(count: number): string {
  return `at least ${count}`;
}
