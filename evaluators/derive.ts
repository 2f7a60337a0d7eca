import { canonicalJson } from '../contracts/canonical-json.ts';
import { encodeBody, FINGERPRINTS, sha256Hex } from '../contracts/codec.ts';
import { FORMER_TAPE_SCHEMAS } from '../contracts/former-schemas.ts';
import type { EngineActivated, Trade } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { TAPE_TOPIC, TOPIC_OF_DERIVED, TOPICS, type DerivedName } from '../contracts/topics.ts';
import { NOTHING_STATED } from './activation-terms.ts';
import { canonicalConfiguration, ENGINE_VERSION, type EngineConfiguration } from './configuration.ts';
import type { Advance, DerivedRecord, InstrumentOverview } from './advance.ts';
import { type PartitionTask, type TaskOptions, createPartitionTask } from './partition-task.ts';

const PARTITION = 0;
/** Hex digits of the configuration's hash in the identities of a derivation. */
const IDENTITY_DIGITS = 32;
/** Refused trades whose reasons are reported. */
const REFUSALS_TOLD_MAX = 5;

/** The identities in an activation. */
export interface ActivationIdentity {
  readonly tapeId: string;
  readonly activationId: string;
  /** Commit of this build, or 'unknown'. */
  readonly gitCommit: string;
}

/** Fingerprints of every record of the tape, as this build and earlier ones write it. Its activations accept these. */
export const ACCEPTED_TAPE_SCHEMAS: readonly string[] = [
  ...TOPICS.filter(({ name }) => name === TAPE_TOPIC).flatMap(({ records }) =>
    records.map((record) => FINGERPRINTS[record]),
  ),
  ...FORMER_TAPE_SCHEMAS.map(({ fingerprint }) => fingerprint),
];

/** The activation of a configuration by this build. */
export function activationOf(configuration: EngineConfiguration, identity: ActivationIdentity): EngineActivated {
  const canonical = canonicalConfiguration(configuration);
  return {
    ...NOTHING_STATED,
    ...identity,
    engineVersion: ENGINE_VERSION,
    configuration: canonical,
    configHash: sha256Hex(canonical),
    writerFingerprints: Object.fromEntries(
      (Object.keys(TOPIC_OF_DERIVED) as DerivedName[]).map((name) => [name, FINGERPRINTS[name]]),
    ),
    acceptedTapeSchemas: ACCEPTED_TAPE_SCHEMAS,
  };
}

/** The numbers of records that a derivation read and wrote. */
export interface Derivation {
  readonly trades: number;
  readonly events: number;
  readonly duplicates: number;
  readonly late: number;
  /** Trades that the engine refused. */
  readonly refused: number;
  /** The fates of each instrument's trades, by name. */
  readonly instruments: readonly InstrumentOverview[];
  /** Why the first few were refused, or later set aside. */
  readonly firstRefusals: readonly string[];
}

/**
 * An engine with no services: partition 0, with the activation of a configuration at offset 0. What it derives is a pure
 * function of the configuration, the strategies and the records that it is given with {@link goOn}.
 *
 * @param options - `known` lists the strategies against which the configuration was checked.
 * @throws Error when the engine refuses the configuration, which it reads from its JSON text.
 */
export function startDerivation(configuration: EngineConfiguration, options: TaskOptions = {}): PartitionTask {
  const task = createPartitionTask(PARTITION, options);
  const identity = `derive-${sha256Hex(canonicalConfiguration(configuration)).slice(0, IDENTITY_DIGITS)}`;
  const activation = activationOf(configuration, { tapeId: identity, activationId: identity, gitCommit: 'unknown' });
  const body = encodeBody('EngineActivated', activation);
  const content = { kind: 'activation', activation, fingerprint: FINGERPRINTS.EngineActivated, body } as const;
  const [refused] = goOn(task, content).deadLetters;
  if (refused !== undefined) throw new Error(refused.detail);
  return task;
}

/** A trade as it would be on the tape. */
export function contentOf(trade: Trade): TapeContent {
  return { kind: 'trade', trade, fingerprint: FINGERPRINTS.Trade, body: encodeBody('Trade', trade) };
}

/** Processes the next record of a derivation. */
export function goOn(task: PartitionTask, content: TapeContent): Advance {
  return task.advance({ partition: PARTITION, offset: task.nextOffset, content });
}

/**
 * Runs the engine over trades, with no services: partition 0, the activation at offset 0, trade i at offset i + 1. Yields
 * the derived events as text, one line `{"topic":…,"type":…,"event":…}` each, several lines at a time; keys of the event
 * in alphabetical order, decimals as strings, times in microseconds.
 *
 * The tape's and the activation's identities are made from the configuration's hash, so the text is a pure function of
 * the arguments.
 */
export async function* derive(
  trades: Iterable<Trade> | AsyncIterable<Trade>,
  configuration: EngineConfiguration,
): AsyncGenerator<string, Derivation, undefined> {
  const task = startDerivation(configuration);
  const firstRefusals: string[] = [];
  for await (const trade of trades) {
    const { derived, deadLetters } = goOn(task, contentOf(trade));
    for (const { source, reason, detail } of deadLetters) {
      if (firstRefusals.length < REFUSALS_TOLD_MAX)
        firstRefusals.push(`trade ${source.position}: ${reason}: ${detail}`);
    }
    if (derived.length > 0) yield derived.map(lineOf).join('');
  }
  const { trades: counted, events, duplicates, late, deadLetters } = task.counts;
  const { overview: instruments } = task;
  return { trades: counted, events, duplicates, late, refused: deadLetters, instruments, firstRefusals };
}

/** One event as a line of text, line feed included. */
export function lineOf({ topic, type, event }: DerivedRecord): string {
  return `{"topic":${JSON.stringify(topic)},"type":${JSON.stringify(type)},"event":${canonicalJson(event)}}\n`;
}
