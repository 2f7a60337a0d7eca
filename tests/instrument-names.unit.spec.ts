import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { displayName, isInstrument, SYMBOL_LENGTH_MAX, symbolOf } from '../contracts/instrument-name.ts';
import { murmur2, partitionOf } from '../contracts/partitioner.ts';
import { parseNewConfiguration } from '../evaluators/new-configuration.ts';
import { createLog } from '../platform/log.ts';
import { textLines } from '../platform/log-line.ts';
import { Metrics } from '../platform/metrics/metrics.ts';
import { redisLatest } from '../projectors/redis-latest/projector.ts';
import { BinaryRows } from '../projectors/sinks/postgres-binary.ts';
import { storable, toText } from '../projectors/sinks/postgres-text.ts';
import { generationKeys, holdsValues } from '../projectors/sinks/redis-keys.ts';
import { parsePrometheus } from './support/prometheus-text.ts';

const NAMES = [
  'BTC-28MAR25-100000-C@deribit',
  'BRK.B@nyse',
  '~E5~B8~81@binance',
  '~6BPEPE-USD@hyperliquid',
  'XBT~2FUSD@kraken',
  'A~00~0A~22~27~5C~25~2A~7B~7D@x',
  `${'~F0~9F~9A~80'.repeat(SYMBOL_LENGTH_MAX / 12)}@a.b_c-d`,
] as const;

describe.each(NAMES)('the instrument %s is safe', (name) => {
  it('as one plain word', () => {
    expect(isInstrument(name)).toBe(true);
    expect(symbolOf(name).symbol).not.toBe('');
    // Neither a control, a space, a quote, a comma, a wildcard of Redis or a shell, nor a brace of a hash tag.
    expect(name).toMatch(/^[A-Za-z0-9._~@-]+$/);
    expect(encodeURI(name)).toBe(name);
    expect(name.split(',')).toEqual([name]);
    expect(displayName(name)).not.toMatch(/[\0-\x1f]/);
  });

  it('as a key of Kafka: its bytes are its characters', () => {
    expect(Buffer.from(name, 'utf8')).toEqual(Buffer.from(name, 'latin1'));
    expect(partitionOf(name, 6)).toBe((murmur2(Buffer.from(name, 'latin1')) & 0x7fffffff) % 6);
  });

  it('in keys of Redis, which stay one for each instrument', () => {
    const keys = generationKeys(redisLatest, 3);
    expect(keys.latest(5, name)).toBe(`tp:3:{5}:latest:${name}`);
    expect(keys.latest(5, name).slice(keys.base.length).split(':')).toHaveLength(3);
    expect(holdsValues(`{5}:latest:${name}`)).toBe(true);
    expect(new Set(NAMES.map((other) => keys.ties(5, 'priceTimeUs', other))).size).toBe(NAMES.length);
  });

  it('in Postgres, as text, in lists and in COPY', () => {
    expect(storable(name)).toBe(name);
    expect(toText('text', name)).toBe(name);
    expect(toText('text[]', [name, name])).toMatch(new RegExp(`^\\{"?${name}"?,"?${name}"?\\}$`));
    const rows = new BinaryRows({ name: 'any', columns: { instrument: 'text' }, key: [] });
    rows.add({ instrument: name });
    expect(rows.finish().includes(Buffer.from(name))).toBe(true);
  });

  it('in a configuration, as a key in quotes or without', () => {
    for (const text of [`instruments:\n  ${name}: { binSize: "0.01" }\n`, stringify({ instruments: { [name]: {} } })]) {
      expect(Object.keys(parseNewConfiguration(parse(text)).instruments)).toEqual([name]);
    }
  });

  it('in a log line, which it neither breaks nor forges', () => {
    const lines: string[] = [];
    const log = createLog('ingest-live', 'info', { write: (line) => lines.push(line) });
    log.info({ 'tapeproof.instrument': name }, `${name} is in sync`);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      message: `${name} is in sync`,
      'tapeproof.instrument': name,
    });
    expect(textLines(false)(lines[0] ?? '')).toContain(name);
  });

  it('as a label of a metric', async () => {
    const metrics = new Metrics('ingest-live');
    metrics.count('tapeproof_live_gaps_opened_total', { instrument: name }, 2);
    const { samples = [] } = parsePrometheus(await metrics.text()).get('tapeproof_live_gaps_opened_total') ?? {};
    expect(samples).toMatchObject([{ labels: { instrument: name }, value: 2 }]);
  });
});
