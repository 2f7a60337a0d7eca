import { FINGERPRINTS } from '../../contracts/codec.ts';
import { subjectOf, TAPE_TOPIC, TOPICS, type TopicName } from '../../contracts/topics.ts';
import { TapeproofError } from '../errors.ts';
import type { Log } from '../log.ts';
import { noTelemetry, type Telemetry } from '../telemetry.ts';
import { reads, readLogEvidence, type LogEvidence, type UsedId } from './log-evidence.ts';
import type { LogReader } from './log-reader.ts';
import type { RegisteredSchema, Registry } from './registry.ts';
import { idsOfThisBuild, recordOfFingerprint, refuseOtherPartitions, type TapeLabel } from './tape-label.ts';

/** How often a long-running process checks that the registry still agrees with the log. */
const RECHECK_INTERVAL_MS = 5_000;
/** How long an unknown id is not requested again: poison must not cause a flood of requests. */
const UNKNOWN_REMEMBERED_MS = 5_000;
const UNKNOWN_MAX = 1_000;
/** A registry that is being replaced settles meanwhile. */
const ANSWERS_MAX = 3;
const FINGERPRINT_DIGITS = 12;

/** An id to which the registry gives another meaning than the log, or none. */
export interface Contradiction {
  readonly id: number;
  /** Where it was found: a topic, or the tape's label. */
  readonly place: string;
  /** For people: the meaning of the id in the log, and in the registry. */
  readonly problem: string;
}

export interface TrustedRegistry extends Registry {
  /** The label on a record that begins a stretch of the log. @throws TapeproofError UNREACHABLE, REGISTRY_CHANGED */
  label(): Promise<TapeLabel>;
  /** @throws TapeproofError CHECK_FAILED when the tape was activated with another number of partitions; UNREACHABLE. */
  refuseOtherPartitions(): Promise<void>;
  /** Ends the checks of a long-running process. */
  close(): void;
}

export interface TrustSettings {
  readonly registry: Registry;
  readonly reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'read'>;
  /** Partitions of the tape. */
  readonly partitions: number;
  readonly log: Log;
  /** For a long-running process: its state is reported here, and checked periodically. */
  readonly telemetry?: Telemetry | undefined;
}

/**
 * A registry that is believed as far as it agrees with the log. An id alone means nothing: a registry that was
 * restored, was replaced or lost data gives it another meaning, or none. Then no record may be refused because of it,
 * or appended.
 *
 * - An id of the tape's label is believed when the registry has the labelled schema under it.
 * - Any other answer, "unknown id" included, is believed once everything that the log shows agrees with the registry.
 *
 * Anything else is REGISTRY_CHANGED, and is checked again at the next attempt.
 */
export function trustRegistry(settings: TrustSettings): TrustedRegistry {
  return new Trust(settings);
}

class Trust implements TrustedRegistry {
  readonly #settings: TrustSettings;
  readonly #telemetry: Telemetry;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #believed = new Map<number, RegisteredSchema>();
  readonly #unknown = new Set<number>();
  readonly #ids = new Map<string, number>();
  #evidence: Promise<LogEvidence> | undefined;
  #checking: Promise<void> | undefined;
  #nextCheck: Promise<void> | undefined;
  #fault: TapeproofError | undefined;

  constructor(settings: TrustSettings) {
    this.#settings = settings;
    this.#telemetry = settings.telemetry ?? noTelemetry();
    if (settings.telemetry === undefined) return;
    this.#timer = setInterval(() => {
      // An outage is another matter: the registry's own check reports it.
      this.#check().catch(() => undefined);
    }, RECHECK_INTERVAL_MS).unref();
  }

  register(): ReturnType<Registry['register']> {
    return this.#settings.registry.register();
  }

  check(): ReturnType<Registry['check']> {
    return this.#settings.registry.check();
  }

  schemaOf(id: number): ReturnType<Registry['schemaOf']> {
    return this.#believed.get(id) ?? (this.#unknown.has(id) ? undefined : this.#ask(id));
  }

  async #ask(id: number): Promise<RegisteredSchema | undefined> {
    let answer = await this.#settings.registry.answerOf(id);
    for (let attempt = 1; attempt <= ANSWERS_MAX; attempt += 1) {
      if (answer !== undefined && (await this.#labelled()).get(id) === answer.fingerprint) return this.#believe(answer);
      await this.#checkFromNow();
      const again = await this.#settings.registry.answerOf(id);
      // The same answer before and after the comparison that agreed: it is this registry's answer.
      const isSteady = again?.fingerprint === answer?.fingerprint;
      if (isSteady && !(await this.#labelled()).has(id))
        return again === undefined ? this.#doubt(id) : this.#believe(again);
      answer = again;
    }
    throw this.#faulty([
      { id, place: 'the registry', problem: 'the registry gives different answers to the same question' },
    ]);
  }

  async idOf(topic: TopicName, record: Parameters<Registry['idOf']>[1]): Promise<number> {
    if (this.#fault !== undefined) await this.#check();
    const subject = subjectOf(topic, record);
    const known = this.#ids.get(subject);
    if (known !== undefined) return known;
    await this.#check();
    const { registry } = this.#settings;
    const id = await registry.idOf(topic, record);
    // Both ways: records are read with the schema that they were written with.
    const schema = await registry.answerOf(id);
    const labelled = (await this.#labelled()).get(id);
    const written = FINGERPRINTS[record];
    if (schema?.fingerprint !== written || (labelled ?? written) !== written) {
      const place = labelled === undefined ? subject : `the label of ${TAPE_TOPIC}`;
      const problem =
        labelled === undefined
          ? `the registry gives id ${id} for ${record}, but has ${meaningOf(schema)} under it`
          : `it is ${nameOf(labelled)} in the log, and the registry has it for ${record}`;
      throw this.#faulty([{ id, place, problem }]);
    }
    this.#ids.set(subject, id);
    return id;
  }

  answerOf(id: number): ReturnType<Registry['answerOf']> {
    return this.#settings.registry.answerOf(id);
  }

  forget(): void {
    this.#settings.registry.forget();
  }

  async label(): Promise<TapeLabel> {
    const ids = await idsOfThisBuild(this);
    return {
      partitions: this.#settings.partitions,
      schemas: new Map([...this.#oursRead(), ...ids, ...(await this.#labelled())]),
    };
  }

  async refuseOtherPartitions(): Promise<void> {
    refuseOtherPartitions(this.#settings.partitions, (await this.#lookAtLog()).partitions);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #labelled(): Promise<ReadonlyMap<number, string>> {
    return (await this.#lookAtLog()).label?.schemas ?? new Map<number, string>();
  }

  /** The ids of our records read so far, with their fingerprints. */
  #oursRead(): Map<number, string> {
    const ours = [...this.#believed].filter(([, { name }]) => name !== undefined);
    return new Map(ours.map(([id, { fingerprint }]) => [id, fingerprint]));
  }

  #lookAtLog(): Promise<LogEvidence> {
    const { reader, partitions } = this.#settings;
    if (this.#evidence === undefined) {
      const reading = readLogEvidence(reader, partitions);
      this.#evidence = reading;
      reading.catch(() => {
        if (this.#evidence === reading) this.#evidence = undefined;
      });
    }
    return this.#evidence;
  }

  /** Joins a comparison that is under way. */
  #check(): Promise<void> {
    this.#checking ??= this.#compare().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** A comparison that begins now or later, with the log as it is then: it may have grown. */
  #checkFromNow(): Promise<void> {
    this.#nextCheck ??= Promise.resolve(this.#checking?.catch(() => undefined)).then(() => {
      this.#nextCheck = undefined;
      this.#evidence = undefined;
      return this.#check();
    });
    return this.#nextCheck;
  }

  async #compare(): Promise<void> {
    const { registry } = this.#settings;
    const evidence = await this.#lookAtLog();
    registry.forget();
    const found = await contradictionsOf(registry, evidence, this.#oursRead());
    if (found.length > 0) throw this.#faulty(found);
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#telemetry.health.set('schemas', { alive: true, ready: true, detail: 'agree with the log' });
    this.#settings.log.event('registry-agrees', 'The schema registry agrees with the log again');
  }

  #faulty(found: readonly Contradiction[]): TapeproofError {
    const fault = registryChanged(found);
    if (this.#fault?.message !== fault.message) {
      this.#settings.log.event('registry-changed', fault.message, { 'event.reason': fault.code });
    }
    this.#fault = fault;
    this.#telemetry.health.set('schemas', { alive: true, ready: false, detail: fault.message });
    return fault;
  }

  #believe(schema: RegisteredSchema): RegisteredSchema {
    this.#believed.set(schema.id, schema);
    return schema;
  }

  /** An id that no log or registry of ours knows. @throws TapeproofError UNREACHABLE where the registry is empty */
  async #doubt(id: number): Promise<undefined> {
    await this.#settings.registry.idOf(TAPE_TOPIC, 'Trade');
    if (this.#unknown.size >= UNKNOWN_MAX) this.#unknown.clear();
    this.#unknown.add(id);
    setTimeout(() => this.#unknown.delete(id), UNKNOWN_REMEMBERED_MS).unref();
    return undefined;
  }
}

/**
 * Where the registry contradicts what the log shows; empty where it agrees.
 *
 * @param expected further ids and their fingerprints (hex).
 * @throws TapeproofError UNREACHABLE
 */
export async function contradictionsOf(
  registry: Pick<Registry, 'answerOf'>,
  { label, used }: LogEvidence,
  expected: ReadonlyMap<number, string> = new Map(),
): Promise<Contradiction[]> {
  const found: Contradiction[] = [];
  const labelled = label?.schemas ?? new Map<number, string>();
  for (const [id, fingerprint] of new Map([...expected, ...labelled])) {
    const schema = await registry.answerOf(id);
    if (schema?.fingerprint === fingerprint) continue;
    const problem = `it is ${nameOf(fingerprint)} in the log, and the registry has ${meaningOf(schema)} under it`;
    found.push({ id, place: labelled.has(id) ? `the label of ${TAPE_TOPIC}` : 'records read before', problem });
  }
  for (const use of used) {
    if (labelled.has(use.id) || expected.has(use.id) || !use.isCommon || use.readable.length === 0) continue;
    const schema = await registry.answerOf(use.id);
    if (schema !== undefined && readsAny(schema, use)) continue;
    const problem = `${use.records} of the records looked at have it, and the registry has ${meaningOf(schema)} under it, which does not read them`;
    found.push({ id: use.id, place: use.topic, problem });
  }
  return found;
}

function readsAny(schema: RegisteredSchema, { topic, readable }: UsedId): boolean {
  const { name } = schema;
  const definition = TOPICS.find((candidate) => candidate.name === topic);
  if (name === undefined || definition?.records.includes(name) !== true) return false;
  return readable.some((body) => reads((bytes) => schema.read(bytes), body));
}

function meaningOf(schema: RegisteredSchema | undefined): string {
  if (schema === undefined) return 'nothing';
  return schema.name === undefined ? 'a schema that is not of Tapeproof' : nameOf(schema.fingerprint, schema.name);
}

function nameOf(fingerprint: string, name: string | undefined = recordOfFingerprint(fingerprint)): string {
  return `${name ?? 'a record'} (schema ${fingerprint.slice(0, FINGERPRINT_DIGITS)})`;
}

function registryChanged(found: readonly Contradiction[]): TapeproofError {
  const [first] = found;
  const more = found.length > 1 ? `, and ${found.length - 1} more` : '';
  return new TapeproofError(
    'REGISTRY_CHANGED',
    `The schema registry is not the one that the log was written with: for id ${first?.id ?? ''}, ${first?.problem ?? ''}${more}. Restore the registry with its old ids from a backup; until then nothing is read or appended. "npx tapeproof contracts check" lists every id.`,
  );
}
