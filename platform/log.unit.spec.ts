import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TapeproofError } from './errors.ts';
import { LOG_EVENTS } from './log-events.ts';
import { FIELD_CHARACTERS_MAX, MESSAGE_CHARACTERS_MAX } from './log-fields.ts';
import { textLines } from './log-line.ts';
import { createLog, SAMPLED_LINES_PER_SECOND_MAX, type Log } from './log.ts';

type Line = Record<string, unknown>;

function written(write: (log: Log) => void): string[] {
  const lines: string[] = [];
  write(createLog('engine', 'info', { write: (line) => lines.push(line) }));
  return lines;
}

function logged(write: (log: Log) => void): Line[] {
  return written(write).map((line) => JSON.parse(line) as Line);
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

describe('createLog', () => {
  it('writes a line of JSON with the names of the Elastic Common Schema', () => {
    const [line, ...others] = logged((log) => {
      log.debug('not at this level');
      log.event('recovered', 'Partition 3 recovered', { 'tapeproof.tape.offset': 1, 'tapeproof.tape.partition': 3 });
    });
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      'log.level': 'info',
      'service.name': 'engine',
      'process.pid': process.pid,
      'event.kind': 'event',
      'event.action': 'recovered',
      'tapeproof.tape.offset': 1,
      'tapeproof.tape.partition': 3,
      message: 'Partition 3 recovered',
    });
    expect(line?.['ecs.version']).toMatch(/^8\./);
    expect(line?.['@timestamp']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('writes an error with its code and its causes', () => {
    const cause = new TypeError('refused');
    const [line] = logged((log) => {
      log.error({ error: new TapeproofError('UNREACHABLE', 'Kafka does not answer', { cause }) }, 'stopped');
    });
    expect(line).toMatchObject({
      'error.type': 'TapeproofError',
      'error.code': 'UNREACHABLE',
      'error.message': 'Kafka does not answer',
    });
    expect(line?.['error.stack_trace']).toMatch(/^TapeproofError: Kafka.*\ncaused by TypeError: refused\n/s);
  });

  it('obeys the environment, and refuses unknown values', () => {
    const count = (level: 'info' | 'silent'): number => {
      const lines: string[] = [];
      createLog('engine', level, { write: (line) => lines.push(line) }).debug('here');
      return lines.length;
    };
    vi.stubEnv('TAPEPROOF_LOG_LEVEL', 'debug');
    expect([count('info'), count('silent')]).toEqual([1, 0]);
    vi.stubEnv('TAPEPROOF_LOG_LEVEL', 'loud');
    expect(() => count('info')).toThrow(/TAPEPROOF_LOG_LEVEL holds "loud": give one of trace, debug/);
    vi.stubEnv('TAPEPROOF_LOG_LEVEL', '');
    vi.stubEnv('TAPEPROOF_LOG_FORMAT', 'xml');
    expect(() => createLog('engine')).toThrow(/TAPEPROOF_LOG_FORMAT holds "xml": give one of json, text/);
  });
});

describe('sampling', () => {
  it('writes a limited number of lines per second and kind, and states in the next how many it left out', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const lines = logged((log) => {
      for (let index = 0; index < 100; index += 1) log.sampled('strategy-executed')?.(`result ${index}`);
      log.sampled('outcome-evaluated')?.('another kind');
      vi.advanceTimersByTime(1_000);
      log.sampled('strategy-executed')?.('later');
      log.sampled('strategy-executed')?.('and later');
      expect(log.suppressed.get('strategy-executed')).toBe(100 - SAMPLED_LINES_PER_SECOND_MAX);
      expect(log.suppressed.get('outcome-evaluated')).toBe(0);
    });
    const results = lines.filter((line) => line['event.action'] === 'strategy-executed');
    expect(results.map((line) => [line['message'], line['tapeproof.suppressed']])).toEqual([
      ['result 0', undefined],
      ['result 1', undefined],
      ['later', 98],
      ['and later', undefined],
    ]);
    expect(lines).toHaveLength(results.length + 1);
  });

  it('builds nothing for a line that is not written, nor counts it as left out below the level', () => {
    let built = 0;
    const text = (): string => `line ${(built += 1)}`;
    written((log) => {
      for (let index = 0; index < 50; index += 1) log.sampled('dead-letter')?.(text());
    });
    expect(built).toBe(SAMPLED_LINES_PER_SECOND_MAX);
    const quiet = createLog('engine', 'error', { write: () => undefined });
    for (let index = 0; index < 50; index += 1) quiet.sampled('dead-letter')?.(text());
    expect([built, quiet.suppressed.get('dead-letter')]).toEqual([SAMPLED_LINES_PER_SECOND_MAX, 0]);
  });
});

/** Characters that a terminal would act on, or that deceive the eye; none may be in a line. */
const DANGEROUS =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0001}-\u{e007f}]/u;

const HOSTILE = [
  'BTC\nUSDT',
  'x\r{"log.level":"fatal","message":"forged"}',
  '\u001b[2J\u001b]0;title\u0007\u001b[31mred',
  '\u009b31mC1',
  '\u2028{"message":"forged"}\u2029\u0085',
  '\u202eright to left\u202c\u2066',
  'zero\u200bwidth\ufeff \u{e0041}tag',
  '"},"event.action":"forged","x":{"y":"',
  'a\\","event.action":"forged',
  'quote" tapeproof.partition=9 │ event.action=forged',
  '\\u001b[31m \\n \\',
  '\ud800 lone surrogate',
  '{"__proto__":{"polluted":true}}',
  '%s %o %j %%',
];

const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(fc.constantFrom('\n', '\r', '\u001b', '"', '\\', '│', '\u2028', '=', ' ', 'a', '\u202e'), { maxLength: 20 })
    .map((parts) => parts.join('')),
);

describe('forged lines', () => {
  it('are impossible in JSON: one event is one line, with the values as given', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (message, topic) => {
        const [line = '', ...others] = written((log) => {
          log.event('conflict', message, { 'tapeproof.topic': topic, 'tapeproof.group': topic });
        });
        expect(others).toEqual([]);
        expect(line.endsWith('\n')).toBe(true);
        expect(line.slice(0, -1)).not.toMatch(DANGEROUS);
        const parsed = JSON.parse(line) as Line;
        expect(parsed).toMatchObject({
          'log.level': 'error',
          'event.action': 'conflict',
          'tapeproof.group': topic,
          'tapeproof.topic': topic,
          message,
        });
        expect(Object.keys(parsed)).toHaveLength(11);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are impossible in text: one event is one line, and its sentence precedes its fields', () => {
    const format = textLines(false);
    fc.assert(
      fc.property(hostileText, hostileText, (message, topic) => {
        const [line = ''] = written((log) => {
          log.event('conflict', message, { 'tapeproof.topic': topic, 'tapeproof.partition': 3 });
        });
        const shown = format(line);
        expect(shown.slice(0, -1)).not.toMatch(DANGEROUS);
        expect(shown.endsWith('\n')).toBe(true);
        expect(shown.split('│')).toHaveLength(2);
        const [, fields = ''] = shown.split('│');
        expect(namesIn(fields)).toEqual(['event.action', 'tapeproof.topic', 'tapeproof.partition']);
        expect(fields).toMatch(/^ event\.action=conflict /);
        expect(fields).toMatch(/ tapeproof\.partition=3\n$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('colours only a terminal', () => {
    const [line = ''] = written((log) => {
      log.event('conflict', '\u001b[32mgreen', { 'tapeproof.topic': '\u001b[5m' });
    });
    const colours = textLines(true)(line).match(/\u001b\[\d+m/g) ?? [];
    expect(colours.length).toBeGreaterThan(0);
    expect(colours).not.toContain('\u001b[32m');
    expect(colours).not.toContain('\u001b[5m');
  });

  it('are impossible through field names', () => {
    const hostile: Record<string, unknown> = {
      message: 'forged',
      'log.level': 'fatal',
      'event.action': 'forged',
      'tapeproof.suppressed': 1e9,
      log: { level: 'fatal' },
      'a\nb"c': 1,
      toString: 2,
      ['x'.repeat(500)]: 3,
    };
    Object.defineProperty(hostile, '__proto__', { value: { polluted: true }, enumerable: true });
    const [line = ''] = written((log) => {
      log.warn(hostile, 'true');
    });
    const parsed = JSON.parse(line) as Line;
    expect(parsed).toMatchObject({ message: 'true', 'log.level': 'warn', 'tapeproof.message': 'forged' });
    expect(parsed['tapeproof.suppressed']).toBeUndefined();
    expect(
      Object.keys(parsed).filter(
        (name) =>
          !/^(tapeproof\.[\w.]{1,80}|@timestamp|message|ecs\.version|log\.level|service\.name|process\.pid|event\.dataset)$/.test(
            name,
          ),
      ),
    ).toEqual([]);
    expect(textLines(false)(line)).not.toMatch(/polluted":true\}[^"]*$/);
    expect(({} as Line)['polluted']).toBeUndefined();
    // Every name once: a parser could otherwise take the other one.
    const names = [...line.matchAll(/"((?:[^"\\]|\\.)*)":/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('bounds the length of a line', () => {
    const huge = 'x'.repeat(5_000_000);
    const error = new Error(huge, { cause: new Error(huge) });
    error.stack = huge;
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field${index}`, huge]));
    const [line = '', errorLine = ''] = written((log) => {
      log.info(many, huge);
      log.error({ error }, 'an error');
    });
    expect((JSON.parse(line) as Line)['message']).toHaveLength(
      MESSAGE_CHARACTERS_MAX + '… (4997952 more characters)'.length,
    );
    expect(line.length).toBeLessThan(100 * FIELD_CHARACTERS_MAX);
    expect(errorLine.length).toBeLessThan(20_000);
  });

  it('survives unprintable values', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const [line] = logged((log) => {
      const odd: Record<string, unknown> = { circular, symbol: Symbol('s'), big: 10n, nothing: undefined };
      log.info({ ...odd, error: 'no error' }, 'odd');
    });
    expect(line).toMatchObject({
      'tapeproof.circular': 'unprintable',
      'tapeproof.symbol': 'unprintable',
      'tapeproof.big': '10',
      'error.message': 'no error',
    });
  });
});

/** The names of a text line's fields, read as a careful person would: a quoted value ends at its own closing quote. */
function namesIn(fields: string): string[] {
  return [...fields.matchAll(/ ([a-z_.]+)=(?:"(?:[^"\\]|\\.)*"|[\w.:/@+-]+)(?=\s)/g)].map(([, name]) => name ?? '');
}

describe('the catalogue of log lines', () => {
  const document = readFileSync(join(import.meta.dirname, '..', 'docs', 'logs.md'), 'utf8');

  it('is documented', () => {
    const documented = [...document.matchAll(/^\| `([a-z-]+)` \| (\w+) \| (yes|) \|/gm)].map(([, ...cells]) => cells);
    expect(documented).toEqual(
      Object.entries(LOG_EVENTS).map(([action, { level, sampled }]) => [action, level, sampled ? 'yes' : '']),
    );
  });
});
