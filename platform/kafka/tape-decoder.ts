import { bodyOf, FRAME_BYTES, schemaIdOf } from '../../contracts/codec.ts';
import type { ClockTick, EngineActivated, Trade, TradeGap } from '../../contracts/generated/events.ts';
import type { TapeContent, UnusableReason } from '../../contracts/tape-content.ts';
import type { Amendment } from '../../contracts/trade-rules.ts';
import type { LogRecord } from './log-record.ts';
import type { RegisteredSchema, Registry } from './registry.ts';

/** Decodes a record of the tape; a promise only when its schema must be fetched first. */
export type TapeDecoder = (record: Pick<LogRecord, 'value'>) => TapeContent | Promise<TapeContent>;

const EMPTY = Buffer.alloc(0);
const SCHEMAS_KEPT_MAX = 1_000;

/**
 * A decoder that never throws because of a record: an unusable one is returned as such. An outage of the registry
 * rejects with TapeproofError UNREACHABLE, one that contradicts the log (trusted-registry.ts) with REGISTRY_CHANGED, so
 * that no record is refused for it.
 */
export function createTapeDecoder(registry: Pick<Registry, 'schemaOf'>): TapeDecoder {
  const schemas = new Map<number, RegisteredSchema>();

  const load = async (id: number, value: Buffer): Promise<TapeContent> => {
    const schema = await registry.schemaOf(id);
    if (schema === undefined) return unusable('UNKNOWN_SCHEMA', value);
    if (schemas.size >= SCHEMAS_KEPT_MAX) schemas.clear();
    schemas.set(id, schema);
    return contentOf(schema, value);
  };

  return ({ value }) => {
    const id = schemaIdOf(value);
    if (id === undefined || value === null) return unusable('UNDECODABLE', value);
    const schema = schemas.get(id);
    return schema === undefined ? load(id, value) : contentOf(schema, value);
  };
}

/** Nearly every record of the tape. Its body is cut out of the value only when its bytes are requested. */
class TradeContent {
  readonly kind = 'trade';
  readonly trade: Trade;
  readonly fingerprint: string;
  readonly #value: Buffer;

  constructor(trade: Trade, fingerprint: string, value: Buffer) {
    this.trade = trade;
    this.fingerprint = fingerprint;
    this.#value = value;
  }

  get body(): Buffer {
    return bodyOf(this.#value);
  }
}

function contentOf(schema: RegisteredSchema, value: Buffer): TapeContent {
  const { name, fingerprint } = schema;
  try {
    if (name === 'Trade') return new TradeContent(schema.read(value, FRAME_BYTES) as Trade, fingerprint, value);
    const body = bodyOf(value);
    if (name === 'ClockTick') return { kind: 'tick', tick: schema.read(body) as ClockTick, fingerprint, body };
    if (name === 'TradeGap') return { kind: 'gap', gap: schema.read(body) as TradeGap, fingerprint, body };
    if (name === 'TradeCancelled' || name === 'TradeCorrected' || name === 'TradeReleased') {
      return { kind: 'amendment', name, amendment: schema.read(body) as Amendment, fingerprint, body };
    }
    if (name === 'EngineActivated') {
      return { kind: 'activation', activation: schema.read(body) as EngineActivated, fingerprint, body };
    }
  } catch {
    return unusable('UNDECODABLE', value);
  }
  return unusable('UNKNOWN_SCHEMA', value);
}

function unusable(reason: UnusableReason, value: Buffer | null): TapeContent {
  return { kind: 'unusable', reason, value: value ?? EMPTY };
}
