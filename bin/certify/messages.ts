import type { ErrorCode } from '../../platform/errors.ts';
import type { EarlierEnd, PartitionResult } from '../../proofs/certify/partition.ts';

/** A partition to certify. */
export interface PartitionOrder {
  readonly partition: number;
  readonly from: number | undefined;
  readonly to: number | 'anchor' | undefined;
  readonly after: EarlierEnd | undefined;
}

/** To a worker: the next partition, or to leave after the current batch. */
export type Order = PartitionOrder | 'stop';

/** From a worker. */
export type Report =
  | { readonly kind: 'records'; readonly count: number }
  | { readonly kind: 'result'; readonly result: PartitionResult }
  | { readonly kind: 'failure'; readonly code: ErrorCode | undefined; readonly message: string };
