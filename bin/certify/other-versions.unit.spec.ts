import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chainFaults, notDerivedByAny } from '../../proofs/certify/chain.ts';
import { isSignedBy, parseEnvelope, seal } from '../../proofs/certify/envelope.ts';
import { stillNotDerived, withDerivedStarts } from '../../proofs/certify/other-versions.ts';
import type { CertifiedRange, NotDerivedRange, PartitionResult, Start } from '../../proofs/certify/partition.ts';
import { bytesOf, digestOf, statementOf, type Build } from '../../proofs/certify/statement.ts';
import { certifyOtherVersions } from './other-versions.ts';

/** A build that answers what the test wrote down, and keeps the words that it was given. */
const ENTRY = `
import { readFileSync, writeFileSync } from 'node:fs';
const words = process.argv.slice(2);
const { help, certificate, stdout, stderr, exitCode } = JSON.parse(readFileSync(process.env.ANSWER, 'utf8'));
if (words[1] === '--help') process.stdout.write(help);
else {
  writeFileSync(process.env.ANSWER + '.words', words.join(' '));
  if (certificate !== undefined) writeFileSync(words[words.indexOf('--out') + 1], certificate);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = exitCode;
}`;
const HELP = 'Usage: tapeproof certify [options]\n';

const hash = (digit: string): string => digit.repeat(64);
const PARTITION = 2;

function rangeOf(from: number, to: number, start: Start = { kind: 'BEGINNING' }): CertifiedRange {
  return {
    ...{ partition: PARTITION, tapeId: 'tape', start, anchors: 1, activations: [], causesBeforeRange: 0 },
    tape: { from, to, records: to - from, lastRecordHash: hash('2') },
    end: { stateHash: hash('3'), anchorHash: hash('4') },
    outputs: [],
  };
}
const output = {
  log: { from: 0, to: 0 },
  sequences: { from: 0, to: 0 },
  events: 0,
  duplicates: 0,
  digest: hash('5'),
  tree: null,
};
const withOutputs = (range: CertifiedRange): CertifiedRange => ({
  ...range,
  outputs: [{ topic: 'probability.decisions', ...output }],
});
const start: Start = { kind: 'ANCHOR', offset: 13, anchorHash: hash('4'), stateHash: hash('3'), derivedBy: null };
const resultOf = (ranges: CertifiedRange[], notDerived: NotDerivedRange[]): PartitionResult => ({
  ...{ partition: PARTITION, ranges: ranges.map(withOutputs), notDerived, difference: undefined },
  ...{ notWrittenFrom: undefined, isInterrupted: false },
});
const missing = (from: number, to: number, gitCommit: string): NotDerivedRange => ({
  ...{ partition: PARTITION, from, to, engineVersion: '4', gitCommit, reason: 'another version' },
});

let folder: string;
let commit: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tapeproof-other-versions-')));
  const project = join(folder, 'project');
  mkdirSync(join(project, 'bin'), { recursive: true });
  mkdirSync(join(project, 'node_modules'));
  const files = {
    'package.json': '{"type":"module"}',
    'package-lock.json': '{}',
    '.gitignore': 'node_modules\n.tapeproof',
  };
  for (const [name, text] of Object.entries({ ...files, 'bin/tapeproof.js': ENTRY })) {
    writeFileSync(join(project, name), text);
  }
  const git = (...words: string[]): string =>
    execFileSync('git', ['-C', project, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'first');
  commit = git('rev-parse', 'HEAD');
  process.env['ANSWER'] = join(folder, 'answer.json');
});
afterAll(() => {
  delete process.env['ANSWER'];
  rmSync(folder, { recursive: true });
});

const build = (gitCommit: string): Build => ({ gitCommit, engineVersion: '4', node: '24', v8: '13', schemas: {} });

/** The certificate of the range before 13, as the other build writes it; it leaves the record at 13 to this build. */
function certificateOf(range: CertifiedRange = rangeOf(0, 13), by = commit): string {
  const statement = statementOf([resultOf([range], [missing(13, 14, 'this')])], build(by), 7);
  return JSON.stringify(seal(bytesOf(statement), undefined));
}

interface Answer {
  readonly help?: string;
  readonly certificate?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

const said: string[] = [];
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

/** What becomes of a partition whose first 13 records another version derived. */
async function othersOf(answer: Answer, gitCommit = commit, from: Start = start) {
  const whole = { help: HELP, stdout: '{"results":[]}', stderr: '', exitCode: 0, ...answer };
  writeFileSync(join(folder, 'answer.json'), JSON.stringify(whole));
  said.length = 0;
  const own = [resultOf([rangeOf(13, 25, from)], [missing(0, 13, gitCommit)])];
  const others = await certifyOtherVersions(own, {
    ...{ out: join(folder, 'own.json'), key: { keyId: 'k', privateKey }, signal: new AbortController().signal },
    ...{ announce: (sentence) => said.push(sentence), project: join(folder, 'project') },
  });
  const results = withDerivedStarts(own, others.certificates);
  expect(readdirSync(join(folder, 'project/.tapeproof/builds'))).toEqual([]);
  return { ...others, results, left: stillNotDerived(results, others.certificates) };
}

describe('a range of another engine version', () => {
  it('is derived by its build; the certificates continue each other, and both are signed', async () => {
    const { runs, results, left, certificates } = await othersOf({ certificate: certificateOf() });
    expect(left).toEqual([]);
    expect(said[0]).toContain('its build is run on that part now');
    expect(readFileSync(join(folder, 'answer.json.words'), 'utf8')).toMatch(
      /^certify --json --allow-not-derived --out \S+ --partition 2 --to 14$/,
    );
    const [run] = runs;
    const sealed = parseEnvelope(readFileSync(run!.out!, 'utf8'), 'a');
    expect(isSignedBy(sealed, publicKey)).toBe(true);
    expect(run).toMatchObject({ outcome: 'DERIVED', gitCommit: commit, from: 0, to: 13 });
    const statement = statementOf(results, build('this'), 7);
    const own = { name: 'own', statement, digest: digestOf(bytesOf(statement)) };
    expect(chainFaults([...certificates, own])).toEqual([]);
    expect(notDerivedByAny([...certificates.map((each) => each.statement), statement])).toEqual([]);
    expect(notDerivedByAny([statement])).toEqual([{ partition: PARTITION, from: 0, to: 13 }]);
    expect(results[0]!.ranges[0]!.start).toMatchObject({ derivedBy: run!.statement });
  });

  it('is not derived where its build ends in another state than this one goes on from', async () => {
    const { left, runs } = await othersOf({ certificate: certificateOf() }, commit, { ...start, stateHash: hash('9') });
    expect(runs[0]!.outcome).toBe('DERIVED');
    expect(left).toMatchObject([{ from: 0, to: 13 }]);
  });

  it.each<[string, () => Answer, string]>([
    ['knows no certify', () => ({ help: 'Usage: tapeproof [options]' }), 'PARTLY CHECKED: the build of commit'],
    ['fails', () => ({ exitCode: 3, stderr: 'Kafka does not answer.\n' }), 'exit code 3: Kafka does not answer.'],
    ['writes no certificate', () => ({}), 'ended with exit code 0'],
    ['writes nonsense', () => ({ certificate: '{' }), 'is not a certificate, or is cut off'],
    ['is another one', () => ({ certificate: certificateOf(rangeOf(0, 13), 'beef') }), 'it was made by commit beef'],
    ['stops early', () => ({ certificate: certificateOf(rangeOf(0, 9)) }), 'it leaves out tape offset 9'],
    ['begins elsewhere', () => ({ certificate: certificateOf(rangeOf(13, 14, start)) }), 'it begins elsewhere'],
    [
      'reads another tape',
      () => ({ certificate: certificateOf({ ...rangeOf(0, 13), tapeId: 'other' }) }),
      'it is of the tape other',
    ],
  ])('is not derived where its build %s', async (_what, answer, expected) => {
    const { runs, left } = await othersOf(answer());
    expect(runs).toMatchObject([{ outcome: 'NOT DERIVED', reason: expect.stringContaining(expected) as string }]);
    expect(left).toMatchObject([{ from: 0, to: 13, gitCommit: commit }]);
  });

  it('is not derived where its commit had uncommitted changes, which is said without running anything', async () => {
    const { runs, left } = await othersOf({}, `${commit}+changes`);
    expect(runs[0]!.reason).toContain('no commit has that code');
    expect(left).toHaveLength(1);
    expect(said).toEqual([]);
  });

  it('differs where its build finds a difference', async () => {
    const difference = {
      kind: 'CHANGED',
      topic: 'probability.decisions',
      partition: 2,
      detail: 'other bytes',
      fields: [],
    };
    const { runs } = await othersOf({ exitCode: 1, stdout: JSON.stringify({ results: [{ difference }] }) });
    expect(runs).toMatchObject([{ outcome: 'DIFFERENT', difference }]);
  });
});
