import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { RecordProducer } from '../../platform/kafka/producer.ts';
import type { Log } from '../../platform/log.ts';
import type { Telemetry } from '../../platform/telemetry.ts';
import { signCheckpoint } from '../tlog/checkpoint.ts';
import type { SignerKey, VerifierKey } from '../tlog/note-key.ts';
import { cosignedBy, type Cosignature, type WitnessAddress } from '../tlog/witness-client.adapter.ts';
import type { Timestamp } from '../timestamps/authority.adapter.ts';
import { checkpointsBackward, faultOf, originOf, placeOf, recordOfCheckpoint } from './checkpoint-log.adapter.ts';
import { FollowedLog, type LogPlace } from './followed-log.ts';
import {
  beginningOf,
  follow,
  isDerivedLog,
  LOG_TOPICS,
  rootsFrom,
  treesBeginOf,
  type LogTopic,
  type TreesBegin,
} from './log-following.adapter.ts';

/** Leaves after which a head is signed at once, while a long log is read: it bounds the memory for proofs. */
export const WINDOW_LEAVES_MAX = 262_144;
/** Leaves read again for a witness that is behind. */
const CATCH_UP_LEAVES_MAX = 4 * WINDOW_LEAVES_MAX;
/** The newest heads of a log that are looked at for the greatest. */
const HEADS_CONSIDERED_MAX = 64;
const US_PER_MS = 1_000;
const US_PER_S = 1_000_000;

export interface PublisherSettings {
  readonly access: LogAccess;
  readonly producer: RecordProducer;
  /** The first one's name is the name of the logs; all sign, while one replaces another. */
  readonly keys: readonly [SignerKey, ...SignerKey[]];
  /** Keys that signed before and sign no more. */
  readonly formerKeys: readonly VerifierKey[];
  readonly witnesses: readonly WitnessAddress[];
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly nowMs: () => number;
}

/** One log at the end of a round. */
export interface LogStatus {
  readonly topic: LogTopic;
  readonly partition: number;
  readonly size: number;
  /** True when this round signed it. */
  readonly signed: boolean;
  readonly cosignatures: readonly Cosignature[];
  /** Witnesses that did not cosign, with the reason. */
  readonly failures: readonly { readonly witness: string; readonly isRefusal: boolean; readonly reason: string }[];
  readonly difference: string | undefined;
  /** The head that is recorded last; undefined before the first. */
  readonly head: LogCheckpoint | undefined;
  /** The time stamp that this round obtained. */
  readonly timestamp?: Timestamp;
  /** Why a time stamp that was asked for is missing. */
  readonly timestampFailure?: { readonly isRefusal: boolean; readonly reason: string };
}

/** Signs the heads of one partition's logs, and records them with the witnesses' cosignatures. */
export class PartitionPublisher {
  readonly #settings: PublisherSettings;
  readonly #partition: number;
  #begin: TreesBegin | undefined;
  readonly #logs = new Map<LogTopic, PublishedLog>();
  #anchorsRead = 0;

  constructor(settings: PublisherSettings, partition: number) {
    this.#settings = settings;
    this.#partition = partition;
  }

  /**
   * Reads each log to its end and signs each that has grown.
   *
   * @returns undefined while nothing is activated on the tape.
   * @throws TapeproofError UNREACHABLE; SEQUENCE_GAP when records are gone.
   */
  async round(signal: AbortSignal): Promise<readonly LogStatus[] | undefined> {
    const { access } = this.#settings;
    const partition = this.#partition;
    this.#begin ??= await treesBeginOf(access, partition);
    const begin = this.#begin;
    if (begin === undefined) return undefined;
    const statuses: LogStatus[] = [];
    const { roots, next } = await rootsFrom(access, { tapeId: begin.tapeId, partition }, this.#anchorsRead);
    for (const topic of LOG_TOPICS) {
      const log = await this.#logOf(topic, begin);
      if (log === undefined || signal.aborted) continue;
      for (const root of roots) if (root.topic === topic) log.followed.holdTo(root);
      statuses.push(await log.round(signal));
    }
    this.#anchorsRead = next;
    return statuses;
  }

  /** When each log was last read to its end with nothing left to sign, milliseconds. */
  get coverage(): readonly { readonly topic: LogTopic; readonly coveredAtMs: number }[] {
    return [...this.#logs].map(([topic, { coveredAtMs }]) => ({ topic, coveredAtMs }));
  }

  async #logOf(topic: LogTopic, { tapeId, firstSequences }: TreesBegin): Promise<PublishedLog | undefined> {
    const known = this.#logs.get(topic);
    if (known !== undefined) return known;
    const { access, keys } = this.#settings;
    const firstSequence = isDerivedLog(topic) ? firstSequences[topic] : 0;
    // An engine of a version without trees still runs.
    if (firstSequence === undefined) return undefined;
    const origin = originOf(keys[0].name, tapeId, topic, this.#partition);
    const place = await beginningOf(access, topic, this.#partition, firstSequence);
    const log = await PublishedLog.open(this.#settings, { topic, partition: this.#partition, origin }, place);
    this.#logs.set(topic, log);
    return log;
  }
}

interface LogName {
  readonly topic: LogTopic;
  readonly partition: number;
  readonly origin: string;
}

class PublishedLog {
  readonly followed: FollowedLog;
  readonly #settings: PublisherSettings;
  readonly #name: LogName;
  readonly #beginning: LogPlace;
  /** The last head that was recorded. */
  #head: LogCheckpoint | undefined;
  /** Leaves of that head. */
  #signedSize: number;
  /** When the log was last read to its end with nothing left to sign, milliseconds. */
  coveredAtMs: number;
  /** Sizes that each witness is known to have cosigned last. */
  readonly #cosignedSizes = new Map<string, number>();
  #reported = false;

  private constructor(settings: PublisherSettings, name: LogName, beginning: LogPlace, followed: FollowedLog) {
    this.#settings = settings;
    this.#name = name;
    this.#beginning = beginning;
    this.followed = followed;
    this.#signedSize = followed.size;
    this.coveredAtMs = settings.nowMs();
  }

  /**
   * Continues from the last head that was recorded. The records between that and the one before are read again: a log
   * that was made anew, or cut, is found at once.
   */
  static async open(settings: PublisherSettings, name: LogName, beginning: LogPlace): Promise<PublishedLog> {
    const { access, keys, formerKeys, log } = settings;
    const trusted = [...keys, ...formerKeys];
    const heads: LogCheckpoint[] = [];
    for await (const { checkpoint, offset } of checkpointsBackward(access, name.topic, name.partition)) {
      const fault = faultOf(checkpoint, name.origin, trusted);
      if (fault === undefined) heads.push(checkpoint);
      else {
        const fields = { 'tapeproof.topic': name.topic, 'tapeproof.partition': name.partition };
        const where = `engine.checkpoints-${name.partition} offset ${offset}`;
        log.event('checkpoint-foreign', `${where} is passed over: ${fault}`, fields);
      }
      if (heads.length === HEADS_CONSIDERED_MAX) break;
    }
    // By size and not by place: somebody may have recorded an old head again.
    heads.sort((left, right) => right.size - left.size);
    const [last] = heads;
    const before = heads.find(({ size }) => size < (last?.size ?? 0));
    return await PublishedLog.#openAt(settings, name, beginning, last, before);
  }

  static async #openAt(
    settings: PublisherSettings,
    name: LogName,
    beginning: LogPlace,
    last: LogCheckpoint | undefined,
    before: LogCheckpoint | undefined,
  ): Promise<PublishedLog> {
    const first = { ...beginning, ...(last === undefined ? {} : { firstSequence: last.firstSequence }) };
    if (last === undefined)
      return new PublishedLog(settings, name, first, new FollowedLog(name.topic, name.partition, first));
    let followed = await upTo(settings.access, name, last, before === undefined ? first : placeOf(before));
    // A log that was derived anew may have the same records at other offsets.
    if (followed.difference !== undefined && before !== undefined) {
      followed = await upTo(settings.access, name, last, first);
    }
    const opened = new PublishedLog(settings, name, first, followed);
    opened.#head = last;
    for (const { witness } of last.cosignatures) opened.#cosignedSizes.set(witness, last.size);
    return opened;
  }

  async round(signal: AbortSignal): Promise<LogStatus> {
    const { access, nowMs } = this.#settings;
    const { followed } = this;
    const beganAtMs = nowMs();
    const end = await endOf(access, this.#name);
    if (end < followed.logOffset)
      followed.differ(`it ends at log offset ${end}, and was read up to ${followed.logOffset}`);
    let done: Pick<LogStatus, 'signed' | 'cosignatures' | 'failures'> = {
      signed: false,
      cosignatures: [],
      failures: [],
    };
    while (followed.difference === undefined) {
      await follow(access, followed, end, WINDOW_LEAVES_MAX);
      // follow() may have found one.
      if (this.followed.difference === undefined && followed.size > this.#signedSize) {
        done = { signed: true, ...(await this.#sign()) };
      }
      if (followed.logOffset >= end || signal.aborted) break;
    }
    if (followed.difference === undefined && this.#signedSize === followed.size && followed.logOffset >= end)
      this.coveredAtMs = beganAtMs;
    this.#show();
    const { topic, partition } = this.#name;
    return { topic, partition, size: followed.size, difference: followed.difference, head: this.#head, ...done };
  }

  async #sign(): Promise<Pick<LogStatus, 'cosignatures' | 'failures'>> {
    const { keys, producer, nowMs, telemetry } = this.#settings;
    const { topic, partition, origin } = this.#name;
    const { followed } = this;
    const { firstSequence, size, frontier, logOffset } = followed.place;
    const { root } = followed;
    const signedAt = nowMs() * US_PER_MS;
    const signed = signCheckpoint({ origin, size, root, extensions: [] }, keys);
    const { cosignatures, failures } = await this.#cosign(signed, size);
    const checkpoint: LogCheckpoint = {
      ...{ origin, topic, partition, firstSequence, size, logOffset, signedAt },
      root: root.toString('hex'),
      frontier: frontier.map((hash) => hash.toString('hex')),
      note: signed + cosignatures.map(({ line }) => line).join(''),
      cosignatures: cosignatures.map(({ witness, timeS }) => ({ witness, time: timeS * US_PER_S })),
      timestamps: [],
    };
    await producer.send([recordOfCheckpoint(checkpoint)]);
    this.#head = checkpoint;
    this.#signedSize = size;
    followed.forget();
    telemetry.metrics.count('tapeproof_checkpoints_signed_total', { topic });
    return { cosignatures, failures };
  }

  async #cosign(note: string, size: number): Promise<Pick<LogStatus, 'cosignatures' | 'failures'>> {
    const { witnesses, log, telemetry } = this.#settings;
    const cosignatures: Cosignature[] = [];
    const failures: LogStatus['failures'][number][] = [];
    await Promise.all(
      witnesses.map(async (witness) => {
        const { name } = witness.key;
        try {
          const known = this.#cosignedSizes.get(name) ?? 0;
          cosignatures.push(await cosignedBy(witness, note, known, (from, to) => this.#consistency(from, to)));
          this.#cosignedSizes.set(name, size);
          telemetry.metrics.count('tapeproof_checkpoint_cosignatures_total', { witness: name });
        } catch (error) {
          if (!(error instanceof TapeproofError)) throw error;
          const isRefusal = error.code !== 'UNREACHABLE';
          const reason = isRefusal ? 'refused' : 'silent';
          telemetry.metrics.count('tapeproof_checkpoint_witness_failures_total', { witness: name, reason });
          const fields = { 'tapeproof.topic': this.#name.topic, 'tapeproof.partition': this.#name.partition };
          if (isRefusal) log.event('witness-refuses', `${this.#name.origin}: ${error.message}`, fields);
          else log.sampled('witness-silent')?.(error.message, fields);
          failures.push({ witness: name, isRefusal, reason: error.message });
        }
      }),
    );
    cosignatures.sort((left, right) => (left.witness < right.witness ? -1 : 1));
    return { cosignatures, failures };
  }

  /** From a size that a witness knows: one before the window is behind, and that stretch of the log is read again. */
  async #consistency(from: number, to: number): Promise<readonly Buffer[]> {
    const { window } = this.followed;
    if (from === 0 || from >= window.firstSize) return window.consistencyProof(from, to);
    const { access, keys, formerKeys } = this.#settings;
    const { topic, partition, origin } = this.#name;
    let start = this.#beginning;
    for await (const { checkpoint } of checkpointsBackward(access, topic, partition)) {
      if (checkpoint.size > from || faultOf(checkpoint, origin, [...keys, ...formerKeys]) !== undefined) continue;
      start = placeOf(checkpoint);
      break;
    }
    if (to - start.size > CATCH_UP_LEAVES_MAX) {
      throw new TapeproofError(
        'UNREACHABLE',
        `A witness of ${origin} knows ${from} of ${to} leaves, further behind than is read again at once: submit an older checkpoint to it first.`,
      );
    }
    const earlier = new FollowedLog(topic, partition, start);
    await follow(access, earlier, await endOf(access, this.#name), to - start.size);
    if (earlier.difference !== undefined || earlier.size < to) {
      throw new TapeproofError('CHECK_FAILED', earlier.difference ?? `${origin} has fewer than ${to} leaves`);
    }
    return earlier.window.consistencyProof(from, to);
  }

  #show(): void {
    const { telemetry, log } = this.#settings;
    const { topic, partition } = this.#name;
    const { difference } = this.followed;
    telemetry.metrics.set('tapeproof_checkpoint_log_differs', { topic, partition }, difference === undefined ? 0 : 1);
    if (difference === undefined || this.#reported) return;
    this.#reported = true;
    log.event('log-differs', `${difference}: this log is not signed any more; run "npx tapeproof certify"`, {
      'tapeproof.topic': topic,
      'tapeproof.partition': partition,
    });
  }
}

/** A log, read from a place up to a head that was signed, and held to it. */
async function upTo(access: LogAccess, name: LogName, head: LogCheckpoint, place: LogPlace): Promise<FollowedLog> {
  const followed = new FollowedLog(name.topic, name.partition, place);
  followed.holdToSigned({ size: head.size, root: head.root });
  const end = await endOf(access, name);
  while (followed.difference === undefined && followed.size < head.size && followed.logOffset < end) {
    await follow(access, followed, end, Math.min(WINDOW_LEAVES_MAX, head.size - followed.size));
    followed.forget();
  }
  if (followed.size < head.size) followed.differ(`it has ${followed.size} records, and ${head.size} were signed`);
  return followed;
}

async function endOf({ reader }: LogAccess, { topic, partition }: LogName): Promise<number> {
  return await reader.endOffset(topic, partition);
}
