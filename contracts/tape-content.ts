import type {
  ContextSignal,
  Watermark,
  DeadLetterReason,
  EngineActivated,
  Trade,
  TradeGap,
} from './generated/events.ts';
import type { Amendment } from './trade-rules.ts';

/** Why a tape record cannot even be read: part of the dead letters' closed catalogue. */
export type UnusableReason = Extract<DeadLetterReason, 'UNDECODABLE' | 'UNKNOWN_SCHEMA'>;

/** Records of the tape about a trade that is already on it. */
export const AMENDMENT_NAMES = ['TradeCancelled', 'TradeCorrected', 'TradeReleased'] as const;
export type AmendmentName = (typeof AMENDMENT_NAMES)[number];

/**
 * The decoded content of a tape record.
 *
 * - `fingerprint`: SHA-256 (hex) of the schema it was written with; `body`: its Avro body as on the tape. Both
 *   together are its identity (see `hashWritten`).
 * - `unusable`: not framed, not one of our records, or broken bytes; `value` is the whole raw Kafka value, empty for a
 *   null.
 */
export type TapeContent =
  | { readonly kind: 'trade'; readonly trade: Trade; readonly fingerprint: string; readonly body: Buffer }
  | {
      readonly kind: 'activation';
      readonly activation: EngineActivated;
      readonly fingerprint: string;
      readonly body: Buffer;
    }
  | { readonly kind: 'watermark'; readonly watermark: Watermark; readonly fingerprint: string; readonly body: Buffer }
  | { readonly kind: 'gap'; readonly gap: TradeGap; readonly fingerprint: string; readonly body: Buffer }
  | {
      readonly kind: 'amendment';
      readonly name: AmendmentName;
      readonly amendment: Amendment;
      readonly fingerprint: string;
      readonly body: Buffer;
    }
  | { readonly kind: 'signal'; readonly signal: ContextSignal; readonly fingerprint: string; readonly body: Buffer }
  | { readonly kind: 'unusable'; readonly reason: UnusableReason; readonly value: Buffer };
