import { z } from 'zod';
import { count, cursorText, instrumentName, limitText, nextCursor, timeUs } from './values.ts';

export const DEAD_LETTERS_PAGE_MAX = 100;
export const DEAD_LETTERS_PAGE_DEFAULT = 20;
export const ACTIVATIONS_MAX = 500;

/** A part of the pipeline's state: `value`, or in `missing` the reason why it could not be read. */
function part<Value extends z.ZodType>(value: Value) {
  return z.strictObject({
    value: value.nullable(),
    missing: z.string().nullable().describe('why the value is null, in a sentence'),
  });
}

export const serviceName = z.enum(['kafka', 'registry', 'postgres', 'redis']);

export const serviceState = z
  .strictObject({ name: serviceName, up: z.boolean(), reason: z.string().nullable().describe('why it is down') })
  .meta({ id: 'ServiceState' });

export const partitionLag = z
  .strictObject({
    group: z.string().describe('consumer group'),
    topic: z.string(),
    partition: count,
    nextOffset: count.describe('the next record that it reads'),
    records: count.describe('records that it is behind'),
    marketSeconds: z.number().nullable().describe('the same in seconds of market time; null where it cannot be read'),
    members: count.describe('processes in the group now'),
  })
  .meta({ id: 'PartitionLag' });

export const consumerGroup = z
  .strictObject({
    group: z.string(),
    state: z
      .string()
      .describe(
        "Kafka's word: Stable; PreparingRebalance or CompletingRebalance while partitions are handed over; Empty or Dead without a process",
      ),
    members: count.describe('processes in it now'),
    recordsPerSecond: z
      .number()
      .nullable()
      .describe('records that it read, over the last minute at most; null before the second look'),
  })
  .meta({ id: 'ConsumerGroup' });

export const partitionActivation = z
  .strictObject({
    partition: count,
    engineVersion: z.string(),
    gitCommit: z.string(),
    configHash: z.string(),
    asOfOffset: count.describe('offset on the tape of the anchor that names it, or of the activation itself'),
    isAnchored: z.boolean().describe('false where the engine has written no anchor yet'),
  })
  .meta({ id: 'PartitionActivation' });

export const processState = z
  .strictObject({
    name: z.string(),
    host: z.string(),
    port: z.int(),
    ready: z.boolean(),
    detail: z.string().describe('why it is not ready, or its own description'),
    rebalances: count
      .nullable()
      .describe('how often it joined its group again since it began; null where it does not say'),
  })
  .meta({ id: 'ProcessState', description: 'a process of this machine, by its /ready' });

export const ledgerEntry = z
  .strictObject({
    projector: z.string(),
    topic: z.string(),
    partition: count,
    read: count.describe('always the sum of the others'),
    applied: count,
    duplicate: count,
    conflict: count,
    dead: count,
    ignored: count,
  })
  .meta({ id: 'LedgerEntry', description: 'records that a projector read, by fate' });

export const rebuildState = z
  .strictObject({
    projector: z.string(),
    liveGeneration: count,
    building: z
      .strictObject({
        generation: count,
        recordsDone: count,
        recordsWanted: count.describe('records that the live generation has read, which it must reach'),
        recordsPerSecond: z
          .number()
          .nullable()
          .describe(
            'over the last minute at most; 0: it was interrupted, or is comparing; null before the second look',
          ),
      })
      .nullable()
      .describe('a rebuild is under way, or was interrupted; null without one'),
  })
  .meta({ id: 'RebuildState' });

export const tradeGap = z
  .strictObject({
    instrument: instrumentName,
    firstTradeId: z.string(),
    lastTradeId: z.string(),
    missingTrades: count,
    fromUs: timeUs.nullable(),
    toUs: timeUs,
    reason: z.string(),
    partition: count,
    offset: count.describe('on the tape'),
  })
  .meta({ id: 'TradeGap', description: 'trades that happened and are missing on the tape' });

/** What `tapeproof status` shows, with the ledger, rebuilds and the newest gaps. */
export const pipelineResponse = z
  .strictObject({
    asOfUs: timeUs.describe("this server's clock when it was computed; it is computed anew at most every few seconds"),
    attention: z
      .array(z.string())
      .describe('problems that need an operator, each with what to do; empty when all is well'),
    services: z.array(serviceState),
    topicDrift: part(z.array(z.string())),
    activations: part(z.array(partitionActivation)),
    processes: z.array(processState),
    lag: part(z.array(partitionLag)),
    groups: part(z.array(consumerGroup)),
    tapeRecordsPerSecond: z
      .number()
      .nullable()
      .describe('records that were appended to the tape, over the last minute at most; null before the second look'),
    ledger: part(z.array(ledgerEntry)),
    rebuilds: part(z.array(rebuildState)),
    deadLetters: part(z.strictObject({ total: count, byReason: z.record(z.string(), count) })),
    conflicts: part(z.record(z.string(), count)).describe('by projector'),
    gaps: part(
      z.strictObject({ gaps: count, missingTrades: count, newest: z.array(tradeGap).max(50).describe('newest first') }),
    ),
  })
  .meta({ id: 'Pipeline' });

export const deadLettersQuery = z.strictObject({
  cursor: cursorText.optional(),
  limit: limitText(DEAD_LETTERS_PAGE_MAX, DEAD_LETTERS_PAGE_DEFAULT),
});

export const deadLetter = z
  .strictObject({
    deadLetterId: z.string(),
    source: z.strictObject({
      kind: z.string().describe('TOPIC, FILE or STREAM'),
      name: z.string(),
      partition: count.nullable(),
      position: z.int().describe('offset; for a file the line; for a stream the time of receipt, microseconds'),
    }),
    reader: z.string().describe('who refused it'),
    reason: z.string().describe('of a closed list'),
    detail: z.string().describe('the reason with its figures, for people'),
    payloadBase64: z.string().describe('the beginning of the record, base64'),
    payloadText: z.string().nullable().describe('the same as text; null where it is not UTF-8 text'),
    payloadShownBytes: count,
    payloadBytes: count.describe('length of the whole record'),
    payloadHash: z.string().describe('SHA-256 of the whole record, hex'),
    retryHint: z.string().describe('what to do about it, in a sentence'),
  })
  .meta({ id: 'DeadLetter' });

export const deadLettersResponse = z
  .strictObject({
    deadLetters: z.array(deadLetter).max(DEAD_LETTERS_PAGE_MAX).describe('newest first'),
    total: count.describe('all of them; the newest 500 can be paged through'),
    nextCursor,
  })
  .meta({ id: 'DeadLetters' });

export const activation = z
  .strictObject({
    activationId: z.string(),
    at: z.string().describe("when it was appended first, ISO 8601 by its author's clock"),
    engineVersion: z.string(),
    gitCommit: z.string(),
    configHash: z.string(),
    tapeId: z.string(),
    actor: z.string().nullable(),
    reason: z.string().nullable(),
    approver: z.string().nullable(),
    changes: z
      .array(z.strictObject({ key: z.string(), from: z.string().nullable(), to: z.string().nullable() }))
      .nullable()
      .describe('keys in which its configuration differs from the one before, values as JSON; null for the first'),
    places: z.array(z.strictObject({ partition: count, offset: count, at: z.string() })),
    missingIn: z.array(count).describe('partitions that lack it'),
    revokedBy: z.string().nullable(),
    fault: z.string().nullable().describe('why no engine accepts it; null for an ordinary one'),
  })
  .meta({ id: 'Activation' });

export const activationsResponse = z
  .strictObject({ activations: z.array(activation).max(ACTIVATIONS_MAX).describe('newest first'), total: count })
  .meta({ id: 'Activations' });

export type ServiceName = z.infer<typeof serviceName>;
export type ServiceState = z.infer<typeof serviceState>;
export type LedgerEntry = z.infer<typeof ledgerEntry>;
export type RebuildState = z.infer<typeof rebuildState>;
export type TradeGap = z.infer<typeof tradeGap>;
export type PipelineResponse = z.infer<typeof pipelineResponse>;
export type DeadLetter = z.infer<typeof deadLetter>;
export type DeadLettersResponse = z.infer<typeof deadLettersResponse>;
export type Activation = z.infer<typeof activation>;
export type ActivationsResponse = z.infer<typeof activationsResponse>;
