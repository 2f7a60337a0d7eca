import type { ConsumerConfig } from 'kafkajs';
import { RIDE_OUT_RETRY } from './client.ts';
import { identifiedRoundRobin } from './dead-members.ts';
import { HEARTBEAT_INTERVAL_MS } from './pulse.ts';

/** A member silent for this long is treated as dead and its partitions move: the delay that a kill -9 costs. */
const SESSION_TIMEOUT_MS = 10_000;
/** How long the others wait for a member to finish its batch and rejoin. */
export const REBALANCE_TIMEOUT_MS = 30_000;
/** Bounds one fetch, and so the memory that undelivered records take. */
const FETCH_BYTES_MAX = 8 * 1_048_576;
const PARTITION_BYTES_MAX = 1_048_576;
/** The broker answers as soon as a byte is available; it holds an empty fetch for this long. */
const FETCH_WAIT_MS_MAX = 250;

/** Every option of a group member, explicit. */
export function consumerOptions(groupId: string): ConsumerConfig {
  return {
    groupId,
    partitionAssigners: [identifiedRoundRobin],
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_INTERVAL_MS,
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
    minBytes: 1,
    maxBytes: FETCH_BYTES_MAX,
    maxBytesPerPartition: PARTITION_BYTES_MAX,
    maxWaitTimeInMs: FETCH_WAIT_MS_MAX,
    // Nothing here depends on transactions, and kafkajs sometimes delivers aborted records: every reader sees all.
    readUncommitted: true,
    retry: { ...RIDE_OUT_RETRY, restartOnFailure: () => Promise.resolve(true) },
  };
}
