import { traceContextOf, type TraceContext } from '../../contracts/traceparent.ts';
import type { RecordSequence } from '../kafka/log-record.ts';
import type { BatchResult, PartitionBatch } from '../kafka/partition-batch.ts';
import type { Tracing } from './tracing.ts';

/** A batch's traced records beyond this many have no spans. */
const TRACED_RECORDS_MAX = 128;

export interface BatchTracing {
  /** Undefined where the process does not trace. */
  readonly tracing: Tracing | undefined;
  readonly groupId: string;
  /** The ids of the span for a record, where those that follow name them. */
  readonly spanOf?: (record: TraceContext) => TraceContext;
}

/**
 * Handles a batch. Where some of its records carry a trace, it then reports a span for the batch, which is linked to
 * theirs because it has no single cause, and a span within each of those traces, linked to the batch's. Records that
 * come again have spans again.
 */
export async function tracedBatch(
  { tracing, groupId, spanOf }: BatchTracing,
  batch: PartitionBatch,
  handle: () => Promise<BatchResult>,
): Promise<BatchResult> {
  if (tracing === undefined) return handle();
  const { topic, partition, records, firstOffset } = batch;
  const startedAtMs = Date.now();
  const report = (appliedBefore: number, failure?: string): void => {
    const traced = tracedRecords(records, appliedBefore);
    if (traced.length === 0) return;
    const span = { name: `process ${topic}`, kind: 'consumer', startedAtMs, endedAtMs: Date.now() } as const;
    const failed = failure === undefined ? {} : { failure };
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.consumer.group.name': groupId,
    };
    const whole = tracing.report({
      ...span,
      ...failed,
      name: `process batch ${topic}`,
      attributes: {
        ...attributes,
        'messaging.batch.message_count': records.length,
        'messaging.kafka.offset': firstOffset,
      },
      links: traced.map(({ context }) => context),
    });
    for (const { context, offset } of traced) {
      const own = spanOf === undefined ? {} : { context: spanOf(context) };
      const place = { ...attributes, 'messaging.kafka.offset': offset };
      tracing.report({ ...span, ...failed, ...own, attributes: place, parent: context, links: [whole] });
    }
  };
  try {
    const result = await handle();
    report(appliedBefore(result));
    return result;
  } catch (error) {
    report(Number.POSITIVE_INFINITY, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** The first offset that is not applied; 0 where nothing was. */
function appliedBefore(result: BatchResult): number {
  if ('nextOffset' in result) return result.nextOffset;
  return 'appliedUpTo' in result ? result.appliedUpTo : 0;
}

function tracedRecords(
  records: RecordSequence,
  before: number,
): readonly { readonly offset: number; readonly context: TraceContext }[] {
  const traced = [];
  for (const { offset, headers } of records) {
    if (offset >= before || traced.length >= TRACED_RECORDS_MAX) break;
    const context = traceContextOf(headers);
    if (context?.isSampled === true) traced.push({ offset, context });
  }
  return traced;
}
