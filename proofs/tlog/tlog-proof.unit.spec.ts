import { describe, expect, it } from 'vitest';
import {
  bytesOfEvent,
  LOG_KEY,
  ORIGIN,
  OTHER_LOG_KEY,
  proofOf,
  SECOND_WITNESS_KEY,
  treeOf,
  WITNESS_KEY,
} from '../../tests/support/signed-log.ts';
import type { VerifierKey } from './note-key.ts';
import { proofText } from './proof-text.ts';
import { eventHashOf, formatProof, parseProof, verifyProof, type ProofReport } from './tlog-proof.ts';

const INDEX = 11;
const TREE = treeOf(20);
const PROOF = formatProof(proofOf(TREE, INDEX));
const EVENT = eventHashOf(bytesOfEvent(INDEX));
const BOTH = [WITNESS_KEY, SECOND_WITNESS_KEY];

const verify = (text: string, witnessKeys: readonly VerifierKey[] = BOTH, witnessesMin = 2, event = EVENT) =>
  verifyProof(parseProof(text), event, { logKeys: [LOG_KEY], witnessKeys, witnessesMin });
const passed = ({ checks }: ProofReport) => checks.map((check) => check.passed);

describe('a proof', () => {
  it('proves inclusion, the log and its witnesses', () => {
    const report = verify(PROOF);
    expect(passed(report)).toEqual([true, true, true]);
    expect(report).toMatchObject({ origin: ORIGIN, index: INDEX, size: 20, eventHash: EVENT.toString('hex') });
    expect(report.logKey).toMatch(/^tapeproof\.local\/tape-1\/probability\.decisions\/0\+[0-9a-f]{8}\+A/);
    expect(report.cosignatures).toEqual([
      { witness: 'witness.example', time: '2025-11-26T09:40:00Z' },
      { witness: 'second.example', time: '2025-11-26T09:40:00Z' },
    ]);
    expect(proofText(report, 'decision-0-11-0')).toContain('\n\nPROVEN.');
  });

  it('is read as it was written, with and without extra data', () => {
    expect(formatProof(parseProof(PROOF))).toBe(PROOF);
    const { index, path, checkpoint } = proofOf(TREE, INDEX);
    const plain = { index, path, checkpoint };
    expect(parseProof(formatProof(plain))).toEqual(plain);
    const single = formatProof(proofOf(treeOf(1), 0));
    expect(parseProof(single).path).toEqual([]);
    expect(passed(verify(single, BOTH, 2, eventHashOf(bytesOfEvent(0))))).toEqual([true, true, true]);
  });

  it('without keys of witnesses says that it proves no time', () => {
    const report = verify(PROOF, [], 0);
    expect(passed(report)).toEqual([true, true]);
    expect(report.notChecked.join()).toContain('the key of a witness');
  });

  it('does not prove another event, or another place', () => {
    const report = verify(PROOF, BOTH, 2, eventHashOf(bytesOfEvent(12)));
    expect(passed(report)).toEqual([false, true, true]);
    expect(proofText(report, undefined)).toContain('NOT PROVEN: 1 of 3 checks failed.');
    expect(passed(verify(PROOF.replace('index 11', 'index 12')))[0]).toBe(false);
    expect(passed(verify(PROOF.replace('index 11', 'index 20')))[0]).toBe(false);
  });

  it('fails where a hash, the root, the size or a signature was changed', () => {
    const { path } = parseProof(PROOF);
    const hashes = path.map((hash) => hash.toString('base64'));
    for (const hash of hashes) expect(passed(verify(PROOF.replace(hash, EVENT.toString('base64'))))[0]).toBe(false);
    expect(passed(verify(PROOF.replace('\n20\n', '\n21\n')))).toEqual([true, false, false]);
    const root = TREE.rootAt(20).toString('base64');
    expect(passed(verify(PROOF.replace(root, EVENT.toString('base64'))))).toEqual([false, false, false]);
    const cosignature = PROOF.trimEnd().split('\n').at(-1) ?? '';
    const forged = cosignature.replace(/.{8}(..==)$/, 'AAAAAAAA$1');
    expect(forged).not.toBe(cosignature);
    expect(passed(verify(PROOF.replace(cosignature, forged)))).toEqual([true, true, false]);
  });

  it('needs as many witnesses as are asked for, each key once', () => {
    const last = PROOF.trimEnd().split('\n').at(-1) ?? '';
    const one = PROOF.replace(`${last}\n`, '');
    expect(passed(verify(one))).toEqual([true, true, false]);
    expect(passed(verify(one, BOTH, 1))).toEqual([true, true, true]);
    const twice = PROOF.replace(`${last}\n`, '').replace(/$/, PROOF.split('\n').at(-3) ?? '');
    expect(passed(verify(`${twice}\n`))).toEqual([true, true, false]);
  });

  it.each([
    ['another format', PROOF.replace('c2sp.org', 'example.org'), 'The file is not a proof'],
    ['another version', PROOF.replace('@v1', '@v2'), 'of version v2'],
    ['nothing', '', 'The file is not a proof'],
    ['no index', PROOF.replace('index 11\n', ''), 'no line "index"'],
    ['an index with a zero in front', PROOF.replace('index 11', 'index 011'), 'no line "index"'],
    ['a broken hash', PROOF.replace(/index 11\n./, 'index 11\n!'), 'Hash 1 of the proof'],
    ['too many hashes', PROOF.replace('index 11\n', `index 11\n${`${'A'.repeat(43)}=\n`.repeat(64)}`), 'more than 63'],
    ['broken extra data', PROOF.replace('extra ', 'extra !'), 'extra data of the proof is not base64'],
    ['carriage returns', PROOF.replaceAll('\n', '\r\n'), 'line ends of the proof were converted'],
  ])('is not usable: %s', (_what, text, reason) => {
    expect(() => parseProof(text)).toThrow(reason);
  });

  it('is not usable wherever it is cut off, except between signatures', () => {
    const ends = new Set<number>();
    for (let at = PROOF.indexOf('\n— '); at !== -1; at = PROOF.indexOf('\n— ', at + 1)) ends.add(at + 1);
    const afterFirst = [...ends].slice(1);
    for (let length = 0; length < PROOF.length; length += 1) {
      if (afterFirst.includes(length)) continue;
      expect(() => parseProof(PROOF.slice(0, length)), `the first ${length} characters`).toThrow();
    }
    for (const length of afterFirst) expect(passed(verify(PROOF.slice(0, length)))).toEqual([true, true, false]);
  });

  it('is not usable with the key of another log', () => {
    const policy = { witnessKeys: [], witnessesMin: 0 };
    const proof = parseProof(PROOF);
    expect(() => verifyProof(proof, EVENT, { logKeys: [OTHER_LOG_KEY], ...policy })).toThrow(
      'not signed with this key',
    );
    expect(() => verifyProof(proof, EVENT, { logKeys: [WITNESS_KEY], ...policy })).toThrow('none of the given keys');
  });
});
