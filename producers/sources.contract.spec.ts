import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBody, decodeBody } from '../contracts/codec.ts';
import { refusalOf } from '../contracts/trade-rules.ts';
import { LineSplitter } from './lines.ts';
import { detectFileSource, FILE_SOURCES, fileSourceNamed } from './catalogue.ts';
import { FileRows, type Reading } from './rows.ts';
import { isRefusal, type FileContext, type FileHead, type FileSource, type ParsedLine } from './source.ts';

const headOf = (lines: readonly string[], isNamed = false, fileName?: string): FileHead => {
  return { lines, delimiter: undefined, instrument: undefined, fileName, isNamed };
};

/** The obligations of every file source; each one in the catalogue is tested automatically. */
function fileSourceSuite(format: FileSource): void {
  const parser =
    format.open(headOf(format.example, false, format.exampleName)) ??
    expect.fail(`${format.name} does not open its example`);
  const row = format.example.at(-1) ?? '';
  const context: FileContext = {
    source: 'file:0123456789abcdef',
    instrument: parser.instruments === 'IN_ROWS' ? '' : 'BTC-USD@venue',
  };
  const reading: Reading = { format, parser, firstRow: 1, context, allowed: undefined };
  const parse = (line: string): ParsedLine => parser.parseLine(line, context);
  const expectValid = (parsed: ParsedLine): void => {
    if (parsed === 'not-a-trade' || isRefusal(parsed)) return;
    // An id yet to be derived is '': every other rule already holds.
    expect(refusalOf(parsed.tradeId === '' ? { ...parsed, tradeId: 'c0-0' } : parsed)).toBeUndefined();
    expect(parsed.source).toBe(context.source);
    expect(decodeBody('Trade', encodeBody('Trade', parsed))).toEqual(parsed);
  };

  it('has a name that finds it and a description', () => {
    expect(fileSourceNamed(format.name)).toBe(format);
    expect(format.description).not.toBe('');
  });

  it('reads its example as a valid trade, the same each time', () => {
    const trade = parse(row);
    if (trade === 'not-a-trade' || isRefusal(trade)) expect.fail(JSON.stringify(trade));
    expectValid(trade);
    expect(parse(row)).toStrictEqual(trade);
  });

  it('is distinguished from all others by the first lines, and opens when named', () => {
    expect(detectFileSource(headOf(format.example, false, format.exampleName))?.format).toBe(format);
    expect(format.open(headOf(format.example, true, format.exampleName))).toBeDefined();
    const isTable = format.columns.length > 0;
    if (isTable) expect(detectFileSource(headOf(['what is this', ...format.example]))).toBeUndefined();
    expect(detectFileSource(headOf(['what is this']))).toBeUndefined();
    expect(format.open(headOf([]))).toBeUndefined();
  });

  it('refuses a row truncated anywhere, or reads a valid trade from the rest', () => {
    for (let length = 1; length < row.length; length += 1) expectValid(parse(row.slice(0, length)));
  });

  it('never throws, and returns no trade that breaks a rule, whatever a damaged row contains', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('', '"', ',', '{', '}', '\0', '-1', '0', 'NaN', 'Infinity', '1e308', '1e-9', '__proto__', 'null'),
      fc.constantFrom('"__proto__":{},', '[[[[', '99999999999999999999', '0.1234567890123', '٣', '1_000', ' 1'),
    );
    const damaged = fc
      .tuple(fc.nat(row.length), fc.nat(12), text)
      .map(([at, cut, patch]) => row.slice(0, at) + patch + row.slice(at + cut));
    fc.assert(
      fc.property(damaged, (line) => {
        expectValid(parse(line));
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws on arbitrary bytes, and no bytes of a file are lost or counted twice', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .array(fc.constantFrom(...format.example, '"', '\r\n', '\n', '\0', '\uFEFF', '{"__proto__":1}'), {
          maxLength: 12,
        })
        .map((parts) => new Uint8Array(Buffer.from(parts.join('')))),
    );
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 50 }), (content, chunkBytes) => {
        const splitter = new LineSplitter();
        const lines = [];
        for (let start = 0; start < content.length; start += chunkBytes) {
          lines.push(...splitter.push(Buffer.from(content.slice(start, start + chunkBytes))));
        }
        lines.push(...splitter.end());
        const joined = Buffer.concat(lines.flatMap((line) => [line.bytes, Buffer.from('\n')]));
        const terminated = content.length === 0 || content.at(-1) === 0x0a;
        expect(joined.equals(Buffer.concat([content, Buffer.from(terminated ? '' : '\n')]))).toBe(true);
        const rows = new FileRows(reading);
        for (const line of lines) {
          const row = rows.rowOf(line);
          if (row.kind === 'trade') expectValid(row.trade);
          if (row.kind === 'dead-letter') encodeBody('DeadLetter', row.deadLetter);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('leaves prototypes alone', () => {
    for (const line of [
      '{"__proto__":{"polluted":1}}',
      '__proto__,1,__proto__,1,1,BUY',
      '__proto__',
      'constructor,1,1',
    ]) {
      expectValid(parse(line));
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('survives nesting deeper than the stack', () => {
    const deep = '['.repeat(200_000);
    expectValid(parse(deep));
    expectValid(parse(row.replace('{', `{"deep":${deep}${']'.repeat(200_000)},`)));
  });
}

describe.each(FILE_SOURCES)('file source $name', fileSourceSuite);

it('no two sources share a name', () => {
  expect(new Set(FILE_SOURCES.map((source) => source.name)).size).toBe(FILE_SOURCES.length);
});
