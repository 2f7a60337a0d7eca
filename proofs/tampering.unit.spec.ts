import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, frame, RECORD_NAMES, sha256Hex } from '../contracts/codec.ts';
import type { EventTypes, RecordName } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { ANCHORS_TOPIC, CHECKPOINTS_TOPIC, STATES_TOPIC, TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import { canonicalConfiguration, parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { activated, run, traded } from '../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { recordOfEvent } from '../evaluators/outgoing-records.ts';
import { createLog } from '../platform/log.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import { noTelemetry } from '../platform/telemetry.ts';
import { MemoryLog } from '../tests/support/memory-log.ts';
import { tapeRecordOf } from '../tests/support/seeded-tape.ts';
import { LOG_KEY } from '../tests/support/signed-log.ts';
import { certifyPartition } from './certify/partition.ts';
import { PartitionPublisher } from './checkpoints/publisher.adapter.ts';
import { verifyLogs } from './checkpoints/verification.adapter.ts';

/**
 * Each tampering with a log that was signed, by somebody who can change every record that lies there, and who names
 * the first place: `certify`, which derives everything again, and `checkpoints verify`, which holds the logs to what was
 * signed.
 */

type Readable = Exclude<TapeContent, { readonly kind: 'unusable' }>;

const configuration = parseConfiguration({
  anchorIntervalRecords: 100,
  hitRules: [{ horizonMs: 20_000, graceMs: 5_000 }],
});
const activation = activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' });
const trades = syntheticTrades({ seed: 9, count: 600 });
const contents: readonly Readable[] = [activated(activation), ...trades.map((trade) => traded(trade))];
const DECISIONS = 'probability.decisions';
const PLACE = 300;

/** The tape and everything that the engine derives from it. */
function logOf(tape: readonly Readable[]): MemoryLog {
  const log = new MemoryLog();
  log.append(tape.map((content) => tapeRecordOf({ partition: 0, content })));
  for (const { derived, anchor } of run(createPartitionTask(0), tape)) {
    log.append(derived.map((record) => recordOfEvent(0, record)));
    if (anchor !== undefined) log.appendAnchor(anchor);
  }
  return log;
}

async function signedLog(): Promise<MemoryLog> {
  const log = logOf(contents);
  const producer = {
    send: (records: Parameters<MemoryLog['append']>[0]) => {
      log.append(records);
      return Promise.resolve();
    },
    disconnect: () => Promise.resolve(),
  };
  const publisher = new PartitionPublisher(
    {
      ...{ access: log.access, producer, keys: [LOG_KEY], formerKeys: [], witnesses: [] },
      ...{ telemetry: noTelemetry(), log: createLog('checkpoints', 'silent'), nowMs: () => 1_764_150_000_000 },
    },
    0,
  );
  await publisher.round(new AbortController().signal);
  return log;
}

/** A record with one bit of its body changed, the last by default. */
function flipped(record: LogRecord, fromEnd = 1): LogRecord {
  const value = Buffer.from(record.value!);
  value[value.length - fromEnd]! ^= 1;
  return { ...record, value };
}

function changed<Name extends RecordName>(record: LogRecord, name: Name, change: Partial<EventTypes[Name]>): LogRecord {
  const event = decodeBody(name, record.value!.subarray(5));
  const body = encodeBody(name, { ...event, ...change });
  return { ...record, value: frame(RECORD_NAMES.indexOf(name) + 1, body) };
}

function edit(log: MemoryLog, topic: TopicName, change: (records: LogRecord[]) => void): void {
  const records = log.records(topic, 0);
  change(records);
  records.forEach((record, offset) => (records[offset] = { ...record, offset }));
}

const replace = (topic: TopicName, at: number, by: (record: LogRecord) => LogRecord) => (log: MemoryLog) => {
  edit(log, topic, (records) => (records[at] = by(records[at]!)));
};
const insert = (topic: TopicName, at: number, made: (record: LogRecord) => LogRecord) => (log: MemoryLog) => {
  edit(log, topic, (records) => records.splice(at, 0, made(records[at - 1]!)));
};
const remove = (topic: TopicName, at: number) => (log: MemoryLog) => {
  edit(log, topic, (records) => records.splice(at, 1));
};
const swap = (topic: TopicName, at: number) => (log: MemoryLog) => {
  edit(log, topic, (records) => ([records[at], records[at + 1]] = [records[at + 1]!, records[at]!]));
};

const other = parseConfiguration({ anchorIntervalRecords: 100, hitRules: [{ horizonMs: 30_000, graceMs: 5_000 }] });
const otherText = canonicalConfiguration(other);
const otherActivation = { configuration: otherText, configHash: sha256Hex(otherText) };
const later = (record: LogRecord): LogRecord => {
  const { sequence } = decodeBody('ProbabilityDecision', record.value!.subarray(5));
  return changed(record, 'ProbabilityDecision', { sequence: sequence + 1, eventId: 'decision-forged' });
};

/** By kind: the tampering, what `certify` names, and what `checkpoints verify` does. */
const TAMPERINGS: readonly [string, (log: MemoryLog) => void, RegExp, RegExp][] = [
  [
    'a bit of a trade',
    replace(TAPE_TOPIC, PLACE, (record) => flipped(record, 40)),
    /^(CHANGED|MISSING) /,
    /raw.trades-0/,
  ],
  ['a trade dropped', remove(TAPE_TOPIC, PLACE), /^(CHANGED|FORGED|MISSING) /, /raw.trades-0/],
  // Sums do not depend on the order: the same is derived, and only the signed tape shows it.
  ['two trades swapped', swap(TAPE_TOPIC, PLACE), /^equal$/, /raw.trades-0/],
  [
    'a trade inserted',
    insert(TAPE_TOPIC, PLACE, (record) => changed(record, 'Trade', { tradeId: 'forged' })),
    /^(CHANGED|MISSING) /,
    /raw.trades-0/,
  ],
  [
    'a configuration replaced',
    replace(TAPE_TOPIC, 0, (record) => changed(record, 'EngineActivated', otherActivation)),
    /^CHANGED /,
    /raw.trades-0/,
  ],
  [
    'a bit of a decision',
    replace(DECISIONS, 50, (record) => flipped(record)),
    /^(CHANGED|NOT_AN_EVENT) probability.decisions/,
    /probability.decisions-0/,
  ],
  ['a decision dropped', remove(DECISIONS, 50), /^MISSING probability.decisions/, /sequence 50 is missing/],
  [
    'two decisions swapped',
    swap(DECISIONS, 50),
    /^(OUT_OF_ORDER|MISSING) probability.decisions/,
    /sequence 50 is missing/,
  ],
  ['a decision inserted', insert(DECISIONS, 50, later), /^FORGED probability.decisions/, /probability.decisions-0/],
  [
    'a decision repeated with other bytes',
    insert(DECISIONS, 51, (record) => changed(record, 'ProbabilityDecision', { probability: 0.99 })),
    /^CHANGED_DUPLICATE probability.decisions/,
    /repeats sequence 50 with other bytes/,
  ],
  [
    'a tombstone',
    insert(DECISIONS, 50, (record) => ({ ...record, value: null })),
    /^NOT_AN_EVENT probability.decisions/,
    /^every log is what was signed$/,
  ],
  [
    'a bit of an anchor',
    replace(ANCHORS_TOPIC, 2, (record) => flipped(record)),
    /^(CHANGED|NOT_AN_EVENT) engine.anchors/,
    /^every log is what was signed$/,
  ],
  ['an anchor dropped', remove(ANCHORS_TOPIC, 2), /^MISSING engine.anchors/, /^every log is what was signed$/],
  [
    'an anchor forged',
    insert(ANCHORS_TOPIC, 3, (record) => changed(record, 'EngineAnchor', { tape: { partition: 0, offset: 250 } })),
    /^FORGED engine.anchors/,
    /^every log is what was signed$/,
  ],
  [
    'a bit of a state',
    replace(STATES_TOPIC, 5, (record) => flipped(record, 30)),
    /^(CHANGED|NOT_AN_EVENT) engine.states/,
    /^every log is what was signed$/,
  ],
  [
    'a part of a state dropped',
    remove(STATES_TOPIC, 5),
    /^(CHANGED|MISSING) engine.states/,
    /^every log is what was signed$/,
  ],
];

async function named(log: MemoryLog): Promise<{ readonly certify: string; readonly signed: string }> {
  const { difference } = await certifyPartition(log.access, 0, {});
  const verdicts = await verifyLogs(log.access, 1, { keys: [LOG_KEY] }, () => undefined);
  const faults = verdicts.flatMap(({ fault }) => fault ?? []);
  return {
    certify: difference === undefined ? 'equal' : `${difference.kind} ${difference.topic}`,
    signed: faults.length === 0 ? 'every log is what was signed' : faults.join('; '),
  };
}

describe('a log that was tampered with', () => {
  it('is equal, and what was signed, before', async () => {
    expect(await named(await signedLog())).toEqual({ certify: 'equal', signed: 'every log is what was signed' });
  });

  it.each(TAMPERINGS)('is found out: %s', async (_, tamper, certify, signed) => {
    const log = await signedLog();
    tamper(log);
    const found = await named(log);
    expect(found.certify).toMatch(certify);
    expect(found.signed).toMatch(signed);
  });

  it('is equal after a consistent rewrite of everything, and not what was signed', async () => {
    const rewritten = logOf(
      contents.map((content, index) =>
        index === PLACE && content.kind === 'trade' ? traded({ ...content.trade, price: trades[0]!.price }) : content,
      ),
    );
    const before = await signedLog();
    rewritten.records(CHECKPOINTS_TOPIC, 0).push(...before.records(CHECKPOINTS_TOPIC, 0));
    const found = await named(rewritten);
    expect(found.certify).toBe('equal');
    expect(found.signed).toContain('raw.trades-0: its first 601 records are not those that were signed');
  });
});
