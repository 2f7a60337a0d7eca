import { fingerprintOf } from './codec.ts';

/** Trade as the first release wrote it: without `suspicious` and `conditions`. Tapes keep it for ever. */
export const FIRST_TRADE_SCHEMA =
  '{"type":"record","name":"Trade","namespace":"com.tapeproof.events","fields":[{"name":"venue","type":"string"},{"name":"instrument","type":"string"},{"name":"tradeId","type":"string"},{"name":"eventTime","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":38,"scale":12}},{"name":"size","type":{"type":"bytes","logicalType":"decimal","precision":38,"scale":12}},{"name":"side","type":{"type":"enum","name":"TakerSide","symbols":["BUY","SELL","UNKNOWN"]}},{"name":"receivedAt","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"source","type":"string"}]}';
export const FIRST_TRADE_FINGERPRINT = fingerprintOf(FIRST_TRADE_SCHEMA);
