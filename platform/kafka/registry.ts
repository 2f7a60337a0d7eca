import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  FINGERPRINTS,
  fingerprintOf,
  readerFor,
  RECORD_NAMES,
  sha256Hex,
  type BodyReader,
} from '../../contracts/codec.ts';
import { FIRST_TRADE_FINGERPRINT } from '../../contracts/former-schemas.ts';
import { readFirstTrade, readTrade } from '../../contracts/trade-reader.ts';
import { SCHEMAS, type EventTypes, type RecordName } from '../../contracts/generated/events.ts';
import { subjectOf, TAPE_TOPIC, TOPICS, type TopicName } from '../../contracts/topics.ts';
import { TapeproofError } from '../errors.ts';
import type { Probe } from '../health/probe.ts';
import { askRegistry, clientAccess, registryRefusal } from './registry-access.ts';

/** Looked up by fingerprint: nearly all of the tape is trades. */
const QUICK_READERS: Readonly<Record<string, BodyReader<'Trade'>>> = {
  [FINGERPRINTS.Trade]: readTrade,
  [FIRST_TRADE_FINGERPRINT]: readFirstTrade,
};

const NAMESPACE = 'com.tapeproof.events.';
/** By full name, those included that earlier builds wrote a record by. */
const RECORD_OF_FULL_NAME: ReadonlyMap<string, RecordName> = new Map(
  RECORD_NAMES.flatMap((name) => {
    const { aliases = [] } = JSON.parse(SCHEMAS[name]) as { readonly aliases?: readonly string[] };
    return [name, ...aliases].map((known) => [`${NAMESPACE}${known}`, name] as const);
  }),
);
const COMPATIBILITY_LEVEL = 'FULL_TRANSITIVE';
const REQUEST_TIMEOUT_MS = 5_000;
const PROBE_TIMEOUT_MS = 2_000;
const ATTEMPTS = 4;
const RETRY_DELAY_MS = 250;
/** Confluent's error codes: the answer of a working registry, unlike a proxy's bare 404. */
const SUBJECT_NOT_FOUND = 40401;
const SCHEMA_NOT_FOUND = 40403;
const SCHEMAS_CACHED_MAX = 1_000;
/** How long an unknown id is not requested again: poison must not cause a flood of requests. */
const UNKNOWN_REMEMBERED_MS = 5_000;

/** A schema that the registry knows. */
export interface RegisteredSchema {
  readonly id: number;
  /** Our record type; undefined for a foreign schema, or one that is not Avro. */
  readonly name: RecordName | undefined;
  /** SHA-256 (hex) of the Avro parsing canonical form; of the raw text where it is not an Avro schema. */
  readonly fingerprint: string;
  /** Reads a body written with this schema as this build's record. Throws when the bytes are not such a body. */
  read(bytes: Buffer, start?: number): EventTypes[RecordName];
}

export interface SubjectReport {
  readonly subject: string;
  readonly record: RecordName;
  readonly id: number;
  readonly action: 'registered' | 'unchanged';
}

export interface SubjectDrift {
  readonly subject: string;
  readonly record: RecordName;
  /** For people. */
  readonly problem: string;
}

export interface Registry {
  /**
   * Registers this build's schema of every record type, FULL_TRANSITIVE set on the subject first.
   *
   * @throws TapeproofError UNREACHABLE; CHECK_FAILED when a schema is not compatible with an older version.
   */
  register(): Promise<SubjectReport[]>;
  /** The differences between the registry and this build, if any. @throws TapeproofError UNREACHABLE */
  check(): Promise<SubjectDrift[]>;
  /** The id of this build's schema. @throws TapeproofError UNREACHABLE, also when it is not registered. */
  idOf(topic: TopicName, record: RecordName): Promise<number>;
  /**
   * The schema behind an id; undefined when a registry that knows our schemas does not know this one.
   *
   * @returns a promise only where it was not answered before.
   * @throws TapeproofError UNREACHABLE on an outage, and when the registry lost our schemas: then no id means anything.
   */
  schemaOf(id: number): RegisteredSchema | undefined | Promise<RegisteredSchema | undefined>;
  /** Like {@link schemaOf}, but asks each time, and even where our schemas are unknown. @throws TapeproofError UNREACHABLE */
  answerOf(id: number): Promise<RegisteredSchema | undefined>;
  /** Clears the cache: the next lookups go to the registry again. */
  forget(): void;
}

/**
 * @param url base address of a Confluent-compatible registry, path included; user name and password too, if needed.
 * @throws TapeproofError CONFIGURATION where its security settings are wrong.
 */
export function createRegistry(url: string): Registry {
  const address = url.replace(/\/+$/, '');
  // Used for registering and looking up; schemas are fetched here, where error codes tell a 404 from an outage.
  const client = new SchemaRegistry({
    ...clientAccess(address),
    clientId: 'tapeproof',
    retry: { retries: ATTEMPTS - 1 },
  });
  const ids = new Map<string, Promise<number>>();
  const asked = new Map<number, Promise<RegisteredSchema | undefined>>();
  const schemas = new Map<number, RegisteredSchema>();
  /** By answer: whoever asks again and again does not have the same schema parsed again. */
  const described = new Map<string, RegisteredSchema>();

  const lookUp = async (subject: string, record: RecordName): Promise<number | undefined> => {
    const { status, body } = await request(address, 'POST', `/subjects/${encodeURIComponent(subject)}`, {
      schema: SCHEMAS[record],
    });
    if (status === 200 && typeof body['id'] === 'number') return body['id'];
    if (isCode(body, SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND)) return undefined;
    throw registryUnreachable(address, `it answered ${status}`);
  };

  const idOf = async (topic: TopicName, record: RecordName): Promise<number> => {
    const subject = subjectOf(topic, record);
    const id = await lookUp(subject, record);
    if (id === undefined) {
      throw new TapeproofError(
        'UNREACHABLE',
        `The schema registry has no schema of this build for ${subject}: run "npx tapeproof contracts register".`,
      );
    }
    return id;
  };

  const answerOf = async (id: number): Promise<RegisteredSchema | undefined> => {
    const { status, body } = await request(address, 'GET', `/schemas/ids/${id}`);
    const { schema, schemaType } = body;
    if (status === 200 && typeof schema === 'string') {
      const answer = JSON.stringify([id, schema, schemaType]);
      let known = described.get(answer);
      if (known === undefined) {
        if (described.size >= SCHEMAS_CACHED_MAX) described.clear();
        described.set(answer, (known = describeSchema(id, schema, schemaType)));
      }
      return known;
    }
    if (isCode(body, SCHEMA_NOT_FOUND)) return undefined;
    throw registryUnreachable(address, `it answered ${status}`);
  };

  const fetchSchema = async (id: number): Promise<RegisteredSchema | undefined> => {
    const schema = await answerOf(id);
    if (schema !== undefined) {
      if (schemas.size >= SCHEMAS_CACHED_MAX) schemas.clear();
      schemas.set(id, schema);
      return schema;
    }
    await cachedId(TAPE_TOPIC, 'Trade');
    setTimeout(() => asked.delete(id), UNKNOWN_REMEMBERED_MS).unref();
    return undefined;
  };

  const cachedId = (topic: TopicName, record: RecordName): Promise<number> =>
    cached(ids, subjectOf(topic, record), () => idOf(topic, record));

  return {
    async register() {
      const reports: SubjectReport[] = [];
      for (const { subject, record } of subjects()) reports.push(await registerOne(address, client, subject, record));
      return reports;
    },
    async check() {
      const drift: SubjectDrift[] = [];
      for (const { subject, record } of subjects()) {
        const level = await compatibilityOf(address, subject);
        if (level !== COMPATIBILITY_LEVEL) {
          drift.push({
            subject,
            record,
            problem: `compatibility is ${level ?? 'not set'}, not ${COMPATIBILITY_LEVEL}`,
          });
        }
        if ((await lookUp(subject, record)) === undefined) {
          drift.push({ subject, record, problem: `the schema of this build is not registered` });
        }
      }
      return drift;
    },
    idOf: cachedId,
    schemaOf: (id) => schemas.get(id) ?? cached(asked, id, () => fetchSchema(id)),
    answerOf,
    forget() {
      ids.clear();
      asked.clear();
      schemas.clear();
    },
  };
}

/** Asks for the supported kinds of schema: the cheapest request of the protocol. */
export function registryProbe(url: string): Probe {
  const address = url.replace(/\/+$/, '');
  return {
    dependency: 'registry',
    async check() {
      const { status } = await askRegistry(`${address}/schemas/types`, 'GET', PROBE_TIMEOUT_MS);
      const refusal = registryRefusal(address, status);
      if (refusal !== undefined) throw refusal;
      if (status >= 500) throw new Error(`it answered ${status}`);
    },
    close: () => Promise.resolve(),
  };
}

function subjects(): { subject: string; record: RecordName }[] {
  return TOPICS.flatMap(({ name, records }) => records.map((record) => ({ subject: subjectOf(name, record), record })));
}

/** One request shared by many callers; failures are not cached. */
function cached<Key, Value>(cache: Map<Key, Promise<Value>>, key: Key, load: () => Promise<Value>): Promise<Value> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= SCHEMAS_CACHED_MAX) cache.clear();
  const loading = load();
  cache.set(key, loading);
  loading.catch(() => cache.delete(key));
  return loading;
}

function describeSchema(id: number, schema: string, schemaType: unknown): RegisteredSchema {
  const foreign = {
    id,
    name: undefined,
    fingerprint: sha256Hex(schema),
    read: () => {
      throw new Error(`schema ${id} is not a Tapeproof record`);
    },
  };
  if (schemaType !== undefined && schemaType !== SchemaType.AVRO) return foreign;
  let fingerprint: string;
  let name: RecordName | undefined;
  try {
    fingerprint = fingerprintOf(schema);
    name = nameOf(JSON.parse(schema));
  } catch {
    return foreign;
  }
  if (name === undefined) return { ...foreign, fingerprint };
  try {
    return { id, name, fingerprint, read: QUICK_READERS[fingerprint] ?? readerFor(name, schema) };
  } catch (error) {
    const read = (): never => {
      throw new Error(`schema ${id} cannot be read as this build's ${name}`, { cause: error });
    };
    return { id, name, fingerprint, read };
  }
}

function nameOf(schema: unknown): RecordName | undefined {
  if (typeof schema !== 'object' || schema === null || !('name' in schema) || typeof schema.name !== 'string') {
    return undefined;
  }
  const namespace = 'namespace' in schema && typeof schema.namespace === 'string' ? `${schema.namespace}.` : '';
  const fullName = schema.name.includes('.') ? schema.name : `${namespace}${schema.name}`;
  return RECORD_OF_FULL_NAME.get(fullName);
}

async function registerOne(
  address: string,
  client: SchemaRegistry,
  subject: string,
  record: RecordName,
): Promise<SubjectReport> {
  if ((await compatibilityOf(address, subject)) !== COMPATIBILITY_LEVEL) {
    const { status } = await request(address, 'PUT', `/config/${encodeURIComponent(subject)}`, {
      compatibility: COMPATIBILITY_LEVEL,
    });
    if (status !== 200) throw registryUnreachable(address, `it answered ${status}`);
  }
  const schema = { type: SchemaType.AVRO as const, schema: SCHEMAS[record] };
  try {
    const known = await client.getRegistryIdBySchema(subject, schema).catch(() => undefined);
    if (known !== undefined) return { subject, record, id: known, action: 'unchanged' };
    const { id } = await client.register(schema, { subject, compatibility: COMPATIBILITY.FULL_TRANSITIVE });
    return { subject, record, id, action: 'registered' };
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 409) {
      throw new TapeproofError(
        'CHECK_FAILED',
        `The schema of ${record} (fingerprint ${FINGERPRINTS[record].slice(0, 12)}) is not compatible both ways with every version of ${subject}: give new fields a default and never change a type.`,
        { cause: error },
      );
    }
    throw registryUnreachable(address, error instanceof Error ? error.message : String(error));
  }
}

/** The subject's own compatibility level; undefined where none is set. */
async function compatibilityOf(address: string, subject: string): Promise<string | undefined> {
  const { status, body } = await request(address, 'GET', `/config/${encodeURIComponent(subject)}`);
  if (status === 200 && typeof body['compatibilityLevel'] === 'string') return body['compatibilityLevel'];
  if (status === 404 && typeof body['error_code'] === 'number') return undefined;
  throw registryUnreachable(address, `it answered ${status}`);
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** One request, retried while the registry does not answer or answers 5xx. */
async function request(address: string, method: string, path: string, content?: object): Promise<Answer> {
  let reason = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (attempt > 1) await sleep(RETRY_DELAY_MS * attempt);
    try {
      const { status, text } = await askRegistry(`${address}${path}`, method, REQUEST_TIMEOUT_MS, content);
      const refusal = registryRefusal(address, status);
      if (refusal !== undefined) throw refusal;
      if (status < 500) return { status, body: parseObject(text) };
      reason = `it answered ${status}`;
    } catch (error) {
      const refusal = error instanceof TapeproofError ? error : registryRefusal(address, error);
      if (refusal !== undefined) throw refusal;
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  throw registryUnreachable(address, reason);
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isCode(body: Readonly<Record<string, unknown>>, ...codes: readonly number[]): boolean {
  return codes.some((code) => body['error_code'] === code);
}

function registryUnreachable(address: string, reason: string): TapeproofError {
  const place = URL.canParse(address) ? new URL(address).host : 'its address';
  return new TapeproofError(
    'UNREACHABLE',
    `The schema registry at ${place} does not answer (${reason}): start the services with "npx tapeproof stack up", or set TAPEPROOF_REGISTRY_URL.`,
  );
}
