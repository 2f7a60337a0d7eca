import { bodyOf } from '../../contracts/codec.ts';
import type { Foreign } from '../../contracts/foreign-record.ts';
import type { ContextSignal, Watermark, EngineActivated, Trade, TradeGap } from '../../contracts/generated/events.ts';
import type { TapeContent, UnusableReason } from '../../contracts/tape-content.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import type { Amendment } from '../../contracts/trade-rules.ts';
import { framedIn, Framed } from './framed-record.ts';
import type { LogRecord } from './log-record.ts';
import type { Registry } from './registry.ts';

/** Decodes a record of the tape; a promise only when its schema must be fetched first. */
export type TapeDecoder = (record: Pick<LogRecord, 'value'>) => TapeContent | Promise<TapeContent>;

const EMPTY = Buffer.alloc(0);

/** A decoder that never throws because of a record: an unusable one is returned as such. @throws TapeproofError like {@link framedIn} */
export function createTapeDecoder(registry: Pick<Registry, 'schemaOf'>): TapeDecoder {
  return ({ value }) => {
    const framed = framedIn(registry, { topic: TAPE_TOPIC, value });
    if (framed instanceof Framed) return contentOf(framed, value);
    return framed instanceof Promise ? framed.then((found) => contentOf(found, value)) : contentOf(framed, value);
  };
}

/** Nearly every record of the tape. */
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

function contentOf(framed: Framed | Foreign, value: Buffer | null): TapeContent {
  if (!(framed instanceof Framed))
    return unusable(framed.reason === 'UNDECODABLE' ? framed.reason : 'UNKNOWN_SCHEMA', value);
  const event = framed.read();
  if (event === undefined) return unusable('UNDECODABLE', value);
  const { name } = framed;
  if (name === 'Trade') return new TradeContent(event as Trade, framed.fingerprint, value ?? EMPTY);
  const { fingerprint, body } = framed;
  if (name === 'Watermark') return { kind: 'watermark', watermark: event as Watermark, fingerprint, body };
  if (name === 'TradeGap') return { kind: 'gap', gap: event as TradeGap, fingerprint, body };
  if (name === 'ContextSignal') return { kind: 'signal', signal: event as ContextSignal, fingerprint, body };
  if (name === 'TradeCancelled' || name === 'TradeCorrected' || name === 'TradeReleased') {
    return { kind: 'amendment', name, amendment: event as Amendment, fingerprint, body };
  }
  if (name === 'EngineActivated') {
    return { kind: 'activation', activation: event as EngineActivated, fingerprint, body };
  }
  return unusable('UNKNOWN_SCHEMA', value);
}

function unusable(reason: UnusableReason, value: Buffer | null): TapeContent {
  return { kind: 'unusable', reason, value: value ?? EMPTY };
}
