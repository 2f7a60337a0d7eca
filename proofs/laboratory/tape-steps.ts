import { encodeBody, FINGERPRINTS, sha256Hex } from '../../contracts/codec.ts';
import type { EngineActivated } from '../../contracts/generated/events.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import type { DerivedRecord } from '../../evaluators/advance.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { canonicalConfiguration, type EngineConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import type { TapePart } from '../tape-parts.ts';
import { createPartitionTask, type PartitionTask, type TaskOptions } from '../../evaluators/partition-task.ts';

/** Records among which a partition's first activation is looked for: it is usually the first. */
const ACTIVATION_WITHIN_RECORDS = 100_000;

/** The events derived from one fetch of tape records. */
export interface TapeSteps {
  readonly derived: readonly DerivedRecord[];
  /** Offset of the first record not processed. */
  readonly nextOffset: number;
  /** Records processed so far. */
  readonly records: number;
}

/** Where the derivation of a part ended early: another engine version is in force from there on. */
export interface NotDerived {
  readonly partition: number;
  readonly fromOffset: number;
  readonly engineVersion: string;
}

export interface TapeStepsOptions {
  /** The configuration in the place of those recorded on the tape, which are used by default. */
  readonly configuration?: EngineConfiguration | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The engine's own step over a part of the tape, outside any group, in memory: nothing is written. With a configuration,
 * the first activation on the tape is replaced by that of the configuration and later ones are passed over; so trades
 * before it are skipped as they were, and each event has the identity that the recorded one of its tape record has.
 */
export class TapeRun {
  readonly part: TapePart;
  readonly task: PartitionTask;
  private readonly access: LogAccess;
  private readonly options: TapeStepsOptions;
  private hasBegun = false;
  private records = 0;
  private foundTapeId: string | undefined;
  private halted: NotDerived | undefined;
  private lastRecorded: string | undefined;

  constructor(access: LogAccess, part: TapePart, task: TaskOptions, options: TapeStepsOptions = {}) {
    this.access = access;
    this.part = part;
    this.task = createPartitionTask(part.partition, task);
    this.options = options;
  }

  /** Named by the first activation; undefined before it. */
  get tapeId(): string | undefined {
    return this.foundTapeId;
  }

  /** The configuration of the last activation recorded, canonical JSON; undefined before the first. */
  get recordedConfiguration(): string | undefined {
    return this.lastRecorded;
  }

  /** Set when the rest of the part belongs to another engine version. */
  get notDerived(): NotDerived | undefined {
    return this.halted;
  }

  /** Steps to the end of the part, or to the signal, one fetch at a time. @throws TapeproofError UNREACHABLE */
  async *steps(): AsyncGenerator<TapeSteps, void, undefined> {
    const { partition, from, to } = this.part;
    const { reader, decode } = this.access;
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
      if (this.options.signal?.aborted === true) return;
      const derived: DerivedRecord[] = [];
      for (const record of records) {
        const decoded = decode(record);
        const content = decoded instanceof Promise ? await decoded : decoded;
        // Spreading thousands of events into one call would exceed the stack.
        for (const event of this.step(record.offset, content)) derived.push(event);
        if (this.halted !== undefined) break;
      }
      yield { derived, nextOffset: this.task.nextOffset, records: this.records };
      if (this.halted !== undefined) return;
    }
  }

  private step(offset: number, recorded: TapeContent): readonly DerivedRecord[] {
    const content = recorded.kind === 'activation' ? this.activationFor(recorded.activation, recorded) : recorded;
    this.records += 1;
    if (content === undefined) return [];
    const { partition } = this.part;
    const { derived, foreignActivation } = this.task.advance({ partition, offset, content });
    if (foreignActivation !== undefined) {
      this.halted = { partition, fromOffset: offset, engineVersion: foreignActivation.engineVersion };
    }
    return derived;
  }

  /** What takes the place of a recorded activation; undefined for nothing. */
  private activationFor(recorded: EngineActivated, content: TapeContent): TapeContent | undefined {
    const { configuration } = this.options;
    // The engine itself refuses one that names a wrong hash.
    if (sha256Hex(recorded.configuration) !== recorded.configHash)
      return configuration === undefined ? content : undefined;
    this.foundTapeId ??= recorded.tapeId;
    this.lastRecorded = recorded.configuration;
    if (configuration === undefined) return content;
    if (this.hasBegun) return undefined;
    this.hasBegun = true;
    return activated(hypotheticalActivation(configuration, recorded.tapeId));
  }
}

function hypotheticalActivation(configuration: EngineConfiguration, tapeId: string): EngineActivated {
  const activationId = `hypothetical-${sha256Hex(canonicalConfiguration(configuration))}`;
  return activationOf(configuration, { tapeId, activationId, gitCommit: 'unknown' });
}

function activated(activation: EngineActivated): TapeContent {
  const body = encodeBody('EngineActivated', activation);
  return { kind: 'activation', activation, fingerprint: FINGERPRINTS.EngineActivated, body };
}

/** The tape's identity, from the first activation of the lowest partition that has one. @throws TapeproofError UNREACHABLE */
export async function firstTapeId({ reader, decode }: LogAccess, partitions: number): Promise<string | undefined> {
  for (let partition = 0; partition < partitions; partition += 1) {
    const from = await reader.startOffset(TAPE_TOPIC, partition);
    const to = Math.min(await reader.endOffset(TAPE_TOPIC, partition), from + ACTIVATION_WITHIN_RECORDS);
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
      for (const record of records) {
        const content = await decode(record);
        if (content.kind === 'activation') return content.activation.tapeId;
      }
    }
  }
  return undefined;
}
