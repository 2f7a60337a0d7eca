import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvFields } from './csv.ts';
import { LINE_BYTES_MAX, LineSplitter, OVERLONG_BYTES_KEPT, type FileLine } from './lines.ts';
import { FileRows, type FileRow, type Reading } from './rows.ts';
import type { FileSource } from './source.ts';
import { barterJsonl } from './sources/barter-jsonl.ts';
import { bitstampCsv } from './sources/bitstamp-csv.ts';
import { canonicalCsv } from './sources/canonical-csv.ts';

const HEADER = 'trade_id,event_time_us,instrument,price,size,side';
const ROW = '1,1385337600000001,BTC-USDT@binance,1,2,BUY';
const context = { source: 'file:feedfacecafebeef', instrument: '' };
const reading = readingOf(canonicalCsv, [HEADER, ROW], 2);

function readingOf(format: FileSource, lines: readonly string[], firstRow: number): Reading {
  const parser = format.open({ lines, delimiter: undefined, instrument: undefined, isNamed: false });
  if (parser === undefined) return expect.fail(`${format.name} does not open ${lines.join(' ')}`);
  return { format, parser, firstRow, context, allowed: undefined };
}

function rowOf(line: FileLine, how: Reading): FileRow {
  return new FileRows(how).rowOf(line);
}

function linesOf(...chunks: (string | Buffer)[]): FileLine[] {
  const splitter = new LineSplitter();
  return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()];
}

function kindsOf(content: string | Buffer): string[] {
  return linesOf(content).map((line) => rowOf(line, reading).kind);
}

function deadLetterOf(row: FileRow | undefined) {
  if (row?.kind !== 'dead-letter') return expect.fail(`${row?.kind ?? 'nothing'} is not a dead letter`);
  return row.deadLetter;
}

describe('lines', () => {
  it('end at line feeds, wherever a chunk ends', () => {
    const lines = linesOf('a\nb', 'c\r\n', '\nd');
    expect(lines.map((line) => [line.number, line.bytes.toString()])).toEqual([
      [1, 'a'],
      [2, 'bc\r'],
      [3, ''],
      [4, 'd'],
    ]);
  });

  it('longer than the bound are counted and hashed, not kept', () => {
    const long = Buffer.alloc(LINE_BYTES_MAX + 70_000, 'x');
    const chunks = [
      Buffer.from('a\n'),
      ...Array.from({ length: 20 }, (_, index) => long.subarray(index * 65_536, (index + 1) * 65_536)),
      Buffer.from('\nb\n'),
    ];
    const lines = linesOf(...chunks);
    expect(lines.map((line) => line.bytes.length)).toEqual([1, OVERLONG_BYTES_KEPT, 1]);
    expect(lines[1]?.overlong).toEqual({ length: long.length, hash: createHash('sha256').update(long).digest('hex') });
    expect(deadLetterOf(rowOf(lines[1]!, reading))).toMatchObject({
      reason: 'MALFORMED',
      detail: `the line has ${long.length} bytes, more than ${LINE_BYTES_MAX}`,
      payloadBytes: long.length,
      payloadHash: lines[1]?.overlong?.hash,
    });
  });

  it('of exactly the bound are read', () => {
    expect(linesOf(Buffer.alloc(LINE_BYTES_MAX, 'x'))[0]?.overlong).toBeUndefined();
    expect(linesOf(Buffer.alloc(LINE_BYTES_MAX + 1, 'x'))[0]?.overlong).toBeDefined();
  });
});

describe('CSV fields', () => {
  it.each([
    ['a,b,', ['a', 'b', '']],
    ['"a","b,c",""', ['a', 'b,c', '']],
    ['"a""b",c', ['a"b', 'c']],
    ['"a', undefined],
    ['"a"b,c', undefined],
    ['a"b,c', undefined],
    ['"a,b"', ['a,b']],
    ['', ['']],
  ])('of %j are %j', (line, fields) => {
    expect(csvFields(line, ',')).toEqual(fields);
  });
});

describe('rows', () => {
  it('are read with CR LF, a byte order mark, empty lines and without a last line feed', () => {
    expect(kindsOf(`\uFEFF${HEADER}\r\n${ROW}\r\n\r\n  \n${ROW}`)).toEqual([
      'nothing',
      'trade',
      'nothing',
      'nothing',
      'trade',
    ]);
  });

  it('keep going after a broken quote: one row is lost, no more', () => {
    expect(kindsOf(`${HEADER}\n"${ROW}\n${ROW}\n`)).toEqual(['nothing', 'dead-letter', 'trade']);
  });

  it('that are not UTF-8 or contain a NUL are dead letters', () => {
    const latin = Buffer.concat([Buffer.from(`${HEADER}\n1`), Buffer.from([0xe9]), Buffer.from(`${ROW}\n`)]);
    expect(kindsOf(latin)).toEqual(['nothing', 'dead-letter']);
    expect(kindsOf(`${HEADER}\n${ROW}\0\n`)).toEqual(['nothing', 'dead-letter']);
  });

  it('begin after a byte order mark, and are UTF-8 even where they are not read', () => {
    const [event = ''] = barterJsonl.example;
    const jsonl = readingOf(barterJsonl, [event], 1);
    const kindOf = (content: Buffer): string => rowOf(linesOf(content)[0]!, jsonl).kind;
    expect(kindOf(Buffer.from(`\uFEFF${event}`))).toBe('trade');
    const note = Buffer.concat([Buffer.from('{"note":"'), Buffer.from([0xe9]), Buffer.from('",')]);
    expect(kindOf(Buffer.concat([note, Buffer.from(event.slice(1))]))).toBe('dead-letter');
  });

  it('that are refused keep their bytes, place, length and hash', () => {
    const [, bad] = linesOf(`${HEADER}\nnonsense\r\n`);
    expect(deadLetterOf(rowOf(bad!, reading))).toEqual({
      deadLetterId: `dead-ingest-file-${createHash('sha256').update('nonsense\r').digest('hex').slice(0, 16)}-0`,
      source: { kind: 'FILE', name: 'file:feedfacecafebeef', partition: null, position: 2 },
      reader: 'ingest-file',
      reason: 'MALFORMED',
      detail: 'the row has 1 columns, not 6',
      payload: Buffer.from('nonsense\r'),
      payloadBytes: 9,
      payloadHash: createHash('sha256').update('nonsense\r').digest('hex'),
    });
  });

  it('carry at most 64 KiB of refused bytes', () => {
    const [, bad] = linesOf(`${HEADER}\n${'x'.repeat(100_000)}\n`);
    const deadLetter = deadLetterOf(rowOf(bad!, reading));
    expect([deadLetter.payload.length, deadLetter.payloadBytes]).toEqual([65_536, 100_000]);
  });

  it('of an instrument that is not allowed are dead letters', () => {
    const narrow: Reading = { ...reading, allowed: new Set(['ETH-USDT@binance']) };
    const [, line] = linesOf(`${HEADER}\n${ROW}`);
    expect(deadLetterOf(rowOf(line!, narrow)).reason).toBe('INSTRUMENT_NOT_ALLOWED');
    expect(rowOf(line!, { ...reading, allowed: new Set(['BTC-USDT@binance']) }).kind).toBe('trade');
  });

  it('that are refused are identified by content and ordinal, so that a longer file repeats none', () => {
    const idsOf = (content: string): string[] => {
      const rows = new FileRows(reading);
      return linesOf(content).flatMap((line) => {
        const row = rows.rowOf(line);
        return row.kind === 'dead-letter' ? [row.deadLetter.deadLetterId] : [];
      });
    };
    const short = idsOf(`${HEADER}\nbad\nworse\nbad\n`);
    expect(new Set(short).size).toBe(3);
    expect(idsOf(`${HEADER}\n${ROW}\nbad\nworse\nbad\nbad\n`).slice(0, 3)).toEqual(short);
  });

  it('without an id get one from their content and ordinal, whatever surrounds them', () => {
    const header = 'timestamp,price,amount';
    const at: Reading = {
      ...readingOf(bitstampCsv, [header], 1),
      context: { source: 'file:feedfacecafebeef', instrument: 'BTC-USD@bitstamp' },
    };
    const idsOf = (content: string): string[] => {
      const rows = new FileRows(at);
      return linesOf(content).flatMap((line) => {
        const row = rows.rowOf(line);
        return row.kind === 'trade' ? [row.trade.tradeId] : [];
      });
    };
    const hash = createHash('sha256').update('1385337600000000|800.01|0.1').digest('hex').slice(0, 16);
    const row = '1385337600,800.010,0.1';
    expect(idsOf(`${row}\n1385337601,1,1\n${row}\n1385337600,800.01,1e-1\n`)).toEqual([
      `c${hash}-0`,
      expect.stringMatching(/^c[0-9a-f]{16}-0$/),
      `c${hash}-1`,
      `c${hash}-2`,
    ]);
    const second = fc.integer({ min: 1_385_337_600, max: 1_385_337_602 });
    const rows = fc.array(fc.tuple(second, fc.constantFrom('1', '1.0', '2')), { maxLength: 30 });
    fc.assert(
      fc.property(rows, rows, (earlier, later) => {
        const text = (of: typeof rows extends fc.Arbitrary<infer Rows> ? Rows : never): string =>
          of.map(([time, price]) => `${time},${price},1\n`).join('');
        const all = idsOf(`${header}\n${text(earlier)}${text(later)}`);
        expect(new Set(all).size).toBe(earlier.length + later.length);
        expect(all.slice(0, earlier.length)).toEqual(idsOf(text(earlier)));
      }),
    );
  });

  it('that repeat the header, as in concatenated files, are ignored', () => {
    expect(kindsOf(`${HEADER}\n${ROW}\n${HEADER}\n${ROW}\n`)).toEqual(['nothing', 'trade', 'nothing', 'trade']);
  });
});
