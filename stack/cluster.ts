import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EXIT_BAD_CONFIGURATION, StackError } from './errors.ts';
import { BROKER_COUNTS, type BrokerCount, type StackOptions } from './options.ts';
import { readJson, writePrivateJson } from './private-file.ts';
import { serviceFolder } from './record.ts';

const Cluster = z.object({ id: z.string().min(1), brokers: z.literal(BROKER_COUNTS) });
/** Kafka's cluster of one stack: its identity, which all its brokers share, and their number. */
export type Cluster = Readonly<z.infer<typeof Cluster>>;

/** The brokers of the stack in this folder; one where none was brought up yet. */
export function brokersOf(stackFolder: string): BrokerCount {
  return readJson(clusterFile(stackFolder), Cluster)?.brokers ?? 1;
}

/**
 * The number of brokers that a stack is to have. It is fixed with the data: partitions are on the brokers that there
 * were when they were created.
 * @throws StackError (exit code 2) where the stack's data is that of another number.
 */
export function wantedBrokers({ folder, brokers }: StackOptions): BrokerCount {
  const has = brokersOf(folder);
  if (brokers === undefined || brokers === has || !hasData(folder)) return brokers ?? has;
  const kept = has === 1 ? 'one broker' : `${has} brokers`;
  throw new StackError(
    `The data of this stack is that of ${kept}, and stays so: run "npx tapeproof stack up" without --brokers, or first "npx tapeproof stack reset", which deletes all data.`,
    EXIT_BAD_CONFIGURATION,
  );
}

/** The cluster, created where there is none. @throws StackError like {@link wantedBrokers}. */
export async function ensureCluster(options: StackOptions): Promise<Cluster> {
  const brokers = wantedBrokers(options);
  const known = readJson(clusterFile(options.folder), Cluster);
  if (known?.brokers === brokers) return known;
  const cluster: Cluster = { id: clusterId(), brokers };
  await writePrivateJson(clusterFile(options.folder), cluster);
  return cluster;
}

export async function removeCluster(stackFolder: string): Promise<void> {
  await rm(clusterFile(stackFolder), { force: true });
}

/** An earlier version left no record of its one broker, but the broker's folder. */
function hasData(stackFolder: string): boolean {
  return existsSync(serviceFolder(stackFolder, 'kafka'));
}

function clusterFile(stackFolder: string): string {
  return join(stackFolder, 'cluster.json');
}

/**
 * 16 bytes in base64url, as Kafka writes a UUID; the first character is a letter, so that it does not look like an
 * option.
 */
function clusterId(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x3f, 0);
  return bytes.toString('base64url');
}
