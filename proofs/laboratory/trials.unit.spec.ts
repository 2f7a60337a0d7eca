import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, frame, RECORD_NAMES } from '../../contracts/codec.ts';
import type { ResearchTrial } from '../../contracts/generated/events.ts';
import { TRIALS_TOPIC } from '../../contracts/topics.ts';
import { MemoryLog } from '../../tests/support/memory-log.ts';
import { deflatedSkill } from './deflated-skill.ts';
import { gridPoints, parseAxis, withPoint } from './grid.ts';
import { readTrials } from './trial-log.ts';
import { trialLines, trialReportOf } from './trial-report.ts';
import { isOverSameData, TrialBook, trialOf, type TrialSubject } from './trials.ts';
import { trialsCsv } from './trials-csv.ts';

const SUBJECT: TrialSubject = {
  ...{ kind: 'BACKTEST', gitCommit: 'commit', engineVersion: '5', configHash: 'aa', strategies: {} },
  ...{ tapeId: 'tape', ranges: [{ partition: 0, from: 0, to: 10 }], fileHashes: [], selection: {} },
};
const ORIGIN = { actor: 'someone', triedAt: 1_700_000_000_000_000, gridPoint: {} };
const FIGURES = {
  ...{ n: 100, effectiveN: 95.5, brier: 0.24, referenceBrier: 0.25, skill: 0.04 },
  ...{ skillRatio: 0.1, skewness: 0, kurtosis: 3 },
};

function trial(changes: Partial<TrialSubject> = {}, triedAt = ORIGIN.triedAt, figures = FIGURES): ResearchTrial {
  return trialOf({ ...SUBJECT, ...changes }, { ...ORIGIN, triedAt }, figures);
}

function bookOf(...trials: readonly ResearchTrial[]): TrialBook {
  const book = new TrialBook();
  for (const each of trials) book.add(each);
  return book;
}

describe('a trial', () => {
  it('is written and read as it was', () => {
    expect(decodeBody('ResearchTrial', encodeBody('ResearchTrial', trial()))).toEqual(trial());
  });

  it('has the identity of what was tried on which data, not of who and when', () => {
    const { trialId } = trial();
    expect(trialId).toMatch(/^trial-[0-9a-f]{32}$/);
    expect(trialOf(SUBJECT, { actor: 'other', triedAt: 5, gridPoint: { a: '1' } }, FIGURES).trialId).toBe(trialId);
    const others: Partial<TrialSubject>[] = [
      ...[
        { configHash: 'bb' },
        { strategies: { MINE: 'ff' } },
        { tapeId: 'other' },
        { selection: { instrument: 'A@b' } },
      ],
      ...[{ ranges: [] }, { fileHashes: ['cc'] }, { kind: 'WHAT_IF' as const }, { gitCommit: 'later' }],
    ];
    const ids = others.map((changes) => trial(changes).trialId);
    expect(new Set([trialId, ...ids]).size).toBe(others.length + 1);
  });

  it('counts once, however often it is written', () => {
    const book = bookOf(trial(), trial({}, ORIGIN.triedAt + 1), trial({ configHash: 'bb' }));
    expect(book.all).toHaveLength(2);
    expect(book.all[0]?.triedAt).toBe(ORIGIN.triedAt);
  });

  it('shares data with those over the same tape, or a file in common', () => {
    const file = (...fileHashes: string[]) => ({ tapeId: null, fileHashes });
    expect(isOverSameData(SUBJECT, { tapeId: 'tape', fileHashes: [] })).toBe(true);
    expect(isOverSameData(SUBJECT, { tapeId: 'other', fileHashes: [] })).toBe(false);
    expect(isOverSameData(file('a', 'b'), file('b', 'c'))).toBe(true);
    expect(isOverSameData(file('a'), file('b'))).toBe(false);
    expect(isOverSameData(file(), file())).toBe(false);
  });
});

describe('the number of tries', () => {
  it('is that of different configurations on the same data', () => {
    const grown = { ranges: [{ partition: 0, from: 0, to: 99 }] };
    const book = bookOf(
      ...[trial(), trial(grown, 2), trial({ kind: 'WHAT_IF' }, 3), trial({ gitCommit: 'later' }, 4)],
      ...[trial({ configHash: 'bb' }), trial({ strategies: { MINE: 'ff' } }), trial({ tapeId: 'other' })],
    );
    expect(book.triesOver(SUBJECT)).toHaveLength(3);
  });

  it('stands beside a score, with the correction for it', () => {
    const ratios = [0.02, -0.05, 0.3];
    const others = ratios.map((skillRatio, index) =>
      trial({ configHash: `other ${index}` }, index, { ...FIGURES, skillRatio }),
    );
    const book = bookOf(trial(), ...others);
    const { deflated } = trialReportOf(trial(), book);
    expect(deflated).toEqual(deflatedSkill(FIGURES, [0.1, ...ratios], 4));
    const alone = trialReportOf(trial(), bookOf(trial())).deflated;
    expect(deflated!.probability).toBeLessThan(alone!.probability!);
    expect(trialLines(trialReportOf(trial(), book)).join(' ')).toContain('4 configurations were tried on these data');
  });

  it('is not known for a trial that is not recorded, which the report says', () => {
    const report = trialReportOf(trial(), undefined, 'no Kafka');
    expect(report).toMatchObject({ notRecorded: 'no Kafka', deflated: null });
    expect(trialLines(report)).toEqual(['Not recorded: this trial is not counted (no Kafka).']);
  });

  it('is listed as CSV with one line for each trial', () => {
    const [head, line, ...rest] = trialsCsv([trial({ selection: { instrument: 'A@b' } })])
      .trimEnd()
      .split('\n');
    expect(rest).toEqual([]);
    expect(head?.split(',').slice(0, 3)).toEqual(['trial_id', 'kind', 'tried_at']);
    expect(line).toContain('"{""instrument"":""A@b""}"');
  });
});

describe('the topic of trials', () => {
  it('is read with foreign records passed over', async () => {
    const memory = new MemoryLog();
    const record = { topic: TRIALS_TOPIC, partition: 0, key: null, timestampUs: 0 } as const;
    memory.append([{ ...record, type: 'ResearchTrial', body: encodeBody('ResearchTrial', trial()) }]);
    memory.append([{ ...record, type: 'Trade', body: Buffer.from('a') }]);
    const records = memory.records(TRIALS_TOPIC, 0);
    records.push({ ...records[0]!, offset: 2, value: null }, { ...records[0]!, offset: 3, value: Buffer.from('no') });
    const cut = frame(RECORD_NAMES.indexOf('ResearchTrial') + 1, Buffer.from([4]));
    records.push({ ...records[0]!, offset: 4, value: cut }, { ...records[0]!, offset: 5 });
    const { reader, registry } = memory.access;
    const { book, passedOver } = await readTrials(reader, registry, 2);
    expect(book.all).toEqual([trial()]);
    expect(passedOver.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
  });
});

describe('a grid', () => {
  it('has every combination, the last axis changing fastest', () => {
    expect(gridPoints([parseAxis('a=1,2'), parseAxis('b.c=x, y')])).toEqual([
      ...[
        { a: '1', 'b.c': 'x' },
        { a: '1', 'b.c': 'y' },
        { a: '2', 'b.c': 'x' },
        { a: '2', 'b.c': 'y' },
      ],
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }), (sizes) => {
        const axes = sizes.map((size, index) => ({
          key: `k${index}`,
          values: Array.from({ length: size }, (_, value) => String(value)),
        }));
        const points = gridPoints(axes).map((point) => JSON.stringify(point));
        expect(points).toHaveLength(sizes.reduce((product, size) => product * size, 1));
        expect(new Set(points).size).toBe(points.length);
      }),
    );
  });

  it.each(['a', '=1', 'a=', 'a=1,', 'a..b=1', 'a=1,1', '.=1'])('refuses %s', (text) => {
    expect(() => parseAxis(text)).toThrow(/^("|--grid a has the value 1 twice)/);
  });

  it('refuses an axis given twice, and more combinations than its bound', () => {
    expect(() => gridPoints([parseAxis('a=1'), parseAxis('a=2')])).toThrow('--grid a is given twice');
    const values = Array.from({ length: 32 }, (_, index) => index).join(',');
    expect(() => gridPoints([parseAxis(`a=${values}`), parseAxis(`b=${values}`)])).toThrow('1,024 combinations');
  });

  it('changes a configuration where a key leads, and leaves the original', () => {
    const base = { a: { b: 1 }, list: [{ c: 1 }] };
    const changed = withPoint(base, { 'a.b': '2', 'list.0.c': '3', 'new.key': '4' }, Number);
    expect(changed).toEqual({ a: { b: 2 }, list: [{ c: 3 }], new: { key: 4 } });
    expect(base).toEqual({ a: { b: 1 }, list: [{ c: 1 }] });
    expect(withPoint(null, { a: '1' }, Number)).toEqual({ a: 1 });
  });

  it.each(['a.b.c', 'list.1.c', 'list.length', '__proto__.x', 'a.__proto__'])('refuses the key %s', (key) => {
    expect(() => withPoint({ a: { b: 1 }, list: [{ c: 1 }] }, { [key]: '1' }, Number)).toThrow(
      `--grid ${key} does not lead to a key`,
    );
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });
});
