import { fingerprintOf } from './codec.ts';
import type { RecordName } from './generated/events.ts';

/** Trade as the first release wrote it: without `suspicious` and `conditions`. Tapes keep it for ever. */
export const FIRST_TRADE_SCHEMA =
  '{"type":"record","name":"Trade","namespace":"com.tapeproof.events","fields":[{"name":"venue","type":"string"},{"name":"instrument","type":"string"},{"name":"tradeId","type":"string"},{"name":"eventTime","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":38,"scale":12}},{"name":"size","type":{"type":"bytes","logicalType":"decimal","precision":38,"scale":12}},{"name":"side","type":{"type":"enum","name":"TakerSide","symbols":["BUY","SELL","UNKNOWN"]}},{"name":"receivedAt","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"source","type":"string"}]}';
export const FIRST_TRADE_FINGERPRINT = fingerprintOf(FIRST_TRADE_SCHEMA);

/** Watermark by its name in versions 0.1.x. */
const CLOCK_TICK_SCHEMA =
  '{"type":"record","name":"ClockTick","namespace":"com.tapeproof.events","fields":[{"name":"venue","type":"string"},{"name":"instruments","type":{"type":"array","items":"string"}},{"name":"eventTime","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"receivedAt","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"source","type":"string"}]}';

/** EngineActivated of versions 0.1.x and 0.2.x: without who activated it, and why. */
const UNSTATED_ACTIVATION_SCHEMA =
  '{"type":"record","name":"EngineActivated","namespace":"com.tapeproof.events","fields":[{"name":"tapeId","type":"string"},{"name":"activationId","type":"string"},{"name":"engineVersion","type":"string"},{"name":"gitCommit","type":"string"},{"name":"configuration","type":"string"},{"name":"configHash","type":"string"},{"name":"writerFingerprints","type":{"type":"map","values":"string"}},{"name":"acceptedTapeSchemas","type":{"type":"array","items":"string"}}]}';

/** A schema of the tape that an earlier build wrote, and the record that it is read as. */
export interface FormerSchema {
  readonly name: RecordName;
  readonly schema: string;
  readonly fingerprint: string;
}

/** Every schema that tapes of earlier builds hold and this one does not write. */
export const FORMER_TAPE_SCHEMAS: readonly FormerSchema[] = [
  { name: 'Trade', schema: FIRST_TRADE_SCHEMA, fingerprint: FIRST_TRADE_FINGERPRINT },
  {
    name: 'EngineActivated',
    schema: UNSTATED_ACTIVATION_SCHEMA,
    fingerprint: fingerprintOf(UNSTATED_ACTIVATION_SCHEMA),
  },
  { name: 'Watermark', schema: CLOCK_TICK_SCHEMA, fingerprint: fingerprintOf(CLOCK_TICK_SCHEMA) },
];
