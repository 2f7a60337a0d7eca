import { bodyOf, encodeBody, frame, sha256Hex } from '../contracts/codec.ts';
import { originOf } from '../contracts/dead-letter.ts';
import type { DeadLetter, DeadLetterReason } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { TAPE_TOPIC, TOPICS } from '../contracts/topics.ts';
import { refusalOfSignal } from '../contracts/context-rules.ts';
import {
  refusalOf,
  refusalOfAmendment,
  refusalOfGap,
  refusalOfWatermark,
  type Refusal,
} from '../contracts/trade-rules.ts';
import { PassedOverRecords, type PassedOver } from '../platform/kafka/foreign-records.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import type { RecordProducer } from '../platform/kafka/producer.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import type { Redelivery } from '../projectors/main.ts';
import { eachDeadLetter } from './dead-letters.ts';

/** Letters retried in one run; another run continues. */
export const RETRIED_MAX = 100_000;
const ENGINE = 'engine';
const APPEND_RECORDS_MAX = 1_000;
/** Reasons that a registry can cause. All others are about the record's content. */
const OF_SCHEMAS: ReadonlySet<DeadLetterReason> = new Set([
  'UNDECODABLE',
  'UNKNOWN_SCHEMA',
  'SCHEMA_NOT_ACCEPTED',
  'MALFORMED',
]);

/** The result for one letter. */
export interface RetriedLetter {
  readonly letter: DeadLetter;
  /** `already`: the log or the read model already has it, and nothing was done. */
  readonly action: 'appended' | 'delivered' | 'already' | 'refused';
  /** For people: where it went, or why not. */
  readonly detail: string;
}

export interface RetryReport {
  readonly letters: readonly RetriedLetter[];
  /** Records of the topic that are not dead letters. */
  readonly passedOver: readonly PassedOver[];
}

export interface RetryRequest {
  readonly partitions: number;
  readonly reason: DeadLetterReason | undefined;
  /** Name of a topic, or a topic and its partition as in raw.trades-3. */
  readonly source: string | undefined;
  readonly signal: AbortSignal;
}

export interface RetryAccess {
  readonly reader: LogReader;
  /** A registry that is trusted only while it agrees with the log. */
  readonly registry: Registry;
  readonly producer: RecordProducer;
  /** Delivers records to a projector; undefined for a name that is not a projector's. */
  readonly redeliver: (name: string, records: readonly LogRecord[]) => Promise<readonly Redelivery[]> | undefined;
}

/**
 * Retries records that were refused for their schema and can be read now. The engine's records are appended to the tape
 * again, where their identities make a repeat harmless; a projector's are delivered to its store. Safe to run twice.
 *
 * @throws TapeproofError UNREACHABLE, REGISTRY_CHANGED; SEQUENCE_GAP when a log is cut in the meantime.
 */
export async function retryDeadLetters(access: RetryAccess, request: RetryRequest): Promise<RetryReport> {
  const done: RetriedLetter[] = [];
  const tape = new Map<number, Found[]>();
  const projectors = new Map<string, Found[]>();
  const seen = new Set<string>();
  const foreign = new PassedOverRecords();
  for await (const { letter } of eachDeadLetter({ ...access, foreign }, request.partitions)) {
    if (seen.has(letter.deadLetterId) || !isAskedFor(letter, request)) continue;
    if (seen.size >= RETRIED_MAX || request.signal.aborted) break;
    seen.add(letter.deadLetterId);
    const found = await originalOf(access.reader, letter);
    if (typeof found === 'string') done.push({ letter, action: 'refused', detail: found });
    else if (letter.reader === ENGINE) put(tape, found.record.partition, { letter, ...found });
    else put(projectors, letter.reader, { letter, ...found });
  }
  for (const found of tape.values()) done.push(...(await appendAgain(access, inOrder(found))));
  for (const [name, found] of projectors) done.push(...(await deliverAgain(access, name, inOrder(found))));
  return { letters: done, passedOver: foreign.all };
}

interface Found {
  readonly letter: DeadLetter;
  readonly record: LogRecord;
}

function put<Key>(groups: Map<Key, Found[]>, key: Key, found: Found): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [found]);
  else group.push(found);
}

function inOrder(found: readonly Found[]): Found[] {
  return found.toSorted((left, right) => left.record.offset - right.record.offset);
}

function isAskedFor({ reason, source }: DeadLetter, asked: RetryRequest): boolean {
  const names = [source.name, `${source.name}-${source.partition ?? ''}`];
  return (
    (asked.reason === undefined || asked.reason === reason) &&
    (asked.source === undefined || names.includes(asked.source))
  );
}

/** The record of a letter; a sentence when it cannot be retried. */
async function originalOf(
  reader: LogReader,
  { reason, source, payloadHash }: DeadLetter,
): Promise<{ readonly record: LogRecord } | string> {
  const { name, partition, position } = source;
  const origin = originOf(source);
  if (origin !== 'TOPIC' || partition === null) {
    return origin === 'VENUE'
      ? 'it came from a venue, from which it is requested again'
      : 'it came from a file: ingest that again';
  }
  if (!OF_SCHEMAS.has(reason)) return `it was refused for its content (${reason}), which no registry changes`;
  if (!TOPICS.some((topic) => topic.name === name)) return `${name} is not a topic of Tapeproof`;
  if (position < (await reader.startOffset(name, partition)) || position >= (await reader.endOffset(name, partition))) {
    return `${name}-${partition} no longer holds offset ${position}`;
  }
  for await (const records of reader.read({ topic: name, partition, from: position, to: position + 1 })) {
    for (const record of records) {
      const value = record.value ?? Buffer.alloc(0);
      const hashes = [sha256Hex(value), sha256Hex(bodyOf(value))];
      // A copy: it would keep a whole fetch in memory.
      if (hashes.includes(payloadHash)) return { record: { ...copied(record), value: Buffer.from(value) } };
    }
  }
  return `the record at ${name}-${partition} offset ${position} is now a different one`;
}

function copied({ topic, partition, offset, key, headers, timestampMs }: LogRecord): Omit<LogRecord, 'value'> {
  return { topic, partition, offset, headers, timestampMs, key: key === null ? null : Buffer.from(key) };
}

/** A record that can be read now. */
interface Good {
  readonly letter: DeadLetter;
  readonly offset: number;
  readonly outgoing: OutgoingRecord;
  /** Its bytes as they will be in Kafka. */
  readonly value: string;
}

async function appendAgain(access: RetryAccess, found: readonly Found[]): Promise<RetriedLetter[]> {
  const { reader, registry, producer } = access;
  const decode = createTapeDecoder(registry);
  const done: RetriedLetter[] = [];
  const good: Good[] = [];
  for (const { letter, record } of found) {
    const outgoing = outgoingOf(await decode(record), record);
    if (typeof outgoing === 'string') {
      done.push({ letter, action: 'refused', detail: outgoing });
      continue;
    }
    const value = textOf(frame(await registry.idOf(TAPE_TOPIC, outgoing.type), outgoing.body));
    good.push({ letter, offset: record.offset, outgoing, value });
  }
  const held = await valuesBehind(reader, good);
  const missing = good.filter(({ value }) => !held.has(value));
  for (let from = 0; from < missing.length; from += APPEND_RECORDS_MAX) {
    await producer.send(missing.slice(from, from + APPEND_RECORDS_MAX).map(({ outgoing }) => outgoing));
  }
  for (const { letter, outgoing, value } of good) {
    const what = `${outgoing.type} on ${TAPE_TOPIC}-${outgoing.partition}`;
    if (held.has(value)) done.push({ letter, action: 'already', detail: `${what}, after the record that was refused` });
    else done.push({ letter, action: 'appended', detail: `${what}, at its end` });
  }
  return done;
}

/** The record to append, written with this build's schema; a sentence when it must not be appended. */
function outgoingOf(content: TapeContent, { partition, timestampMs }: LogRecord): OutgoingRecord | string {
  const place = { topic: TAPE_TOPIC, partition, timestampUs: Math.max(timestampMs, 0) * 1_000 } as const;
  const judged = (refusal: Refusal | undefined, outgoing: OutgoingRecord): OutgoingRecord | string =>
    refusal === undefined ? outgoing : `it is refused for its content: ${refusal.detail}`;
  switch (content.kind) {
    case 'unusable':
      return 'it cannot be read with the present registry either: it is damaged, or its schema is not of Tapeproof';
    case 'activation':
      return 'an activation takes effect from its place on: run "npx tapeproof activate"';
    case 'trade': {
      const { trade } = content;
      const body = encodeBody('Trade', trade);
      return judged(refusalOf(trade), { ...place, key: trade.instrument, type: 'Trade', body });
    }
    case 'watermark':
      return judged(refusalOfWatermark(content.watermark), {
        ...{ ...place, key: null, type: 'Watermark', body: encodeBody('Watermark', content.watermark) },
      });
    case 'gap': {
      const body = encodeBody('TradeGap', content.gap);
      return judged(refusalOfGap(content.gap), { ...place, key: content.gap.instrument, type: 'TradeGap', body });
    }
    case 'signal': {
      const { signal } = content;
      const body = encodeBody('ContextSignal', signal);
      return judged(refusalOfSignal(signal), { ...place, key: signal.instrument, type: 'ContextSignal', body });
    }
    case 'amendment': {
      const { name, amendment } = content;
      const body = encodeBody(name, amendment as never);
      return judged(refusalOfAmendment(amendment), { ...place, key: amendment.instrument, type: name, body });
    }
  }
}

/**
 * Those of them that are on the tape after the first refused record, apart from the refused ones: an earlier run has
 * appended them.
 */
async function valuesBehind(reader: LogReader, good: readonly Good[]): Promise<Set<string>> {
  const held = new Set<string>();
  const [first] = good;
  if (first === undefined) return held;
  const originals = new Set(good.map(({ offset }) => offset));
  const wanted = new Set(good.map(({ value }) => value));
  const { topic, partition } = first.outgoing;
  const to = await reader.endOffset(topic, partition);
  for await (const records of reader.read({ topic, partition, from: first.offset, to })) {
    for (const { offset, value } of records) {
      const text = value === null || originals.has(offset) ? '' : textOf(value);
      if (wanted.has(text)) held.add(text);
    }
  }
  return held;
}

function textOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}

async function deliverAgain(access: RetryAccess, name: string, found: readonly Found[]): Promise<RetriedLetter[]> {
  const delivering = access.redeliver(
    name,
    found.map(({ record }) => record),
  );
  if (delivering === undefined) {
    return found.map(({ letter }) => ({
      letter,
      action: 'refused',
      detail: `${name} is not a projector of this build`,
    }));
  }
  const outcomes = await delivering;
  return found.map(({ letter }, index) => ({
    letter,
    ...(outcomes[index] ?? { action: 'refused', detail: 'it was not reached: run this again' }),
  }));
}
