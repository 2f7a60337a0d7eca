import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { chainFaults } from './chain.ts';
import { authenticated, isSignedBy, parseEnvelope, payloadOf, seal } from './envelope.ts';
import { parsePublicKey, parseSigningKey } from './keys.ts';
import type { CertifiedRange, PartitionResult, Start } from './partition.ts';
import { bytesOf, digestOf, parseStatement, statementOf, type Build } from './statement.ts';
import { fieldDifferences } from './difference.ts';

const hash = (digit: string): string => digit.repeat(64);
const build: Build = { gitCommit: 'abc', engineVersion: '4', node: '24', v8: '13', schemas: { Trade: hash('1') } };

function rangeOf(from: number, to: number, start: Start, tapeId = 'tape'): CertifiedRange {
  return {
    ...{ partition: 2, tapeId, start, anchors: 1, activations: [], causesBeforeRange: 0 },
    tape: { from, to, records: to - from, lastRecordHash: hash('2') },
    end: { stateHash: hash(String(to % 10)), anchorHash: hash('4') },
    outputs: [
      {
        topic: 'probability.decisions',
        ...{
          log: { from, to },
          sequences: { from, to },
          events: to - from,
          duplicates: 0,
          digest: hash('5'),
          tree: null,
        },
      },
    ],
  };
}

const resultOf = (range: CertifiedRange, notDerived: PartitionResult['notDerived'] = []): PartitionResult => ({
  ...{ partition: 2, ranges: [range], notDerived, difference: undefined },
  ...{ notWrittenFrom: undefined, isInterrupted: false },
});

const first = statementOf([resultOf(rangeOf(0, 13, { kind: 'BEGINNING' }))], build, 7);
const firstDigest = digestOf(bytesOf(first));
const begun = {
  kind: 'ANCHOR',
  offset: 13,
  anchorHash: hash('4'),
  stateHash: hash('3'),
  derivedBy: firstDigest,
} as const;
const second = statementOf([resultOf(rangeOf(13, 25, begun))], build, 7);
const certificate = (name: string, statement: typeof first) => ({
  ...{ name, statement },
  digest: digestOf(bytesOf(statement)),
});

describe('a statement', () => {
  it('is read as it was written, with the outputs as its subject', () => {
    expect(parseStatement(bytesOf(first), 'a.json')).toEqual(first);
    expect(first.subject).toEqual([{ name: 'probability.decisions-2/0-13', digest: { sha256: hash('5') } }]);
    expect(first.predicate.verdict).toBe('DERIVED');
  });

  it('lists the ranges that were not derived', () => {
    const missing = { partition: 2, from: 13, to: 20, engineVersion: '3', gitCommit: 'beef', reason: 'why' };
    const partly = statementOf([resultOf(rangeOf(0, 13, { kind: 'BEGINNING' }), [missing])], build, 7);
    expect(partly.predicate).toMatchObject({ verdict: 'PARTLY DERIVED', notDerived: [missing] });
    const hidden = { ...partly, predicate: { ...partly.predicate, verdict: 'DERIVED' as const } };
    expect(() => parseStatement(bytesOf(hidden), 'a.json')).toThrow('its verdict contradicts its ranges');
  });

  it.each([
    ['nonsense', Buffer.from('{'), 'is not JSON'],
    [
      'another form',
      Buffer.from('{"predicateType":"https://slsa.dev/provenance/v1"}'),
      'has the form "https://slsa.dev',
    ],
    ['a missing field', Buffer.from(bytesOf(first).toString().replace('"durationMs":7,', '')), 'predicate.durationMs'],
    ['another subject', Buffer.from(bytesOf(first).toString().replace('/0-13', '/0-14')), 'its subject is not'],
  ])('refuses %s', (_what, payload, expected) => {
    expect(() => parseStatement(payload, 'a.json')).toThrow(expected);
  });

  it('is of one tape', () => {
    const other = rangeOf(0, 9, { kind: 'BEGINNING' }, 'other');
    const results = [resultOf(rangeOf(0, 13, { kind: 'BEGINNING' })), resultOf(other)];
    expect(() => statementOf(results, build, 1)).toThrow('a certificate is of one tape');
    expect(() => statementOf([], build, 1)).toThrow('Nothing was derived');
  });
});

describe('an envelope', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const payload = bytesOf(first);

  it('is signed as DSSE prescribes', () => {
    // The example of DSSE's protocol.md.
    const encoded = authenticated('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(encoded.toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
    const sealed = parseEnvelope(JSON.stringify(seal(payload, { keyId: 'k', privateKey })), 'a.json');
    expect(payloadOf(sealed)).toEqual(payload);
    expect(isSignedBy(sealed, publicKey)).toBe(true);
    expect(isSignedBy(sealed, generateKeyPairSync('ed25519').publicKey)).toBe(false);
    expect(isSignedBy({ ...sealed, payload: bytesOf(second).toString('base64') }, publicKey)).toBe(false);
    expect(isSignedBy(seal(payload, undefined), publicKey)).toBe(false);
  });

  it('is refused when it is cut off or holds something else', () => {
    const text = JSON.stringify(seal(payload, { keyId: 'k', privateKey }));
    expect(() => parseEnvelope(text.slice(0, 100), 'a.json')).toThrow('is cut off');
    expect(() => parseEnvelope('[]', 'a.json')).toThrow('not a DSSE envelope');
    expect(() => parseEnvelope(text.replace('in-toto', 'other'), 'a.json')).toThrow('not an in-toto statement');
  });

  it('takes keys as PEM and in the line of signed notes', () => {
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const read = parseSigningKey(pem, 'key');
    expect(
      isSignedBy(
        seal(payload, read),
        parsePublicKey(publicKey.export({ format: 'pem', type: 'spki' }).toString(), 'k'),
      ),
    ).toBe(true);
    // Made by golang.org/x/mod/sumdb/note, from its documentation.
    const signer = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
    const verifier = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    const note = parseSigningKey(`${signer}\n`, 'key');
    expect(note.keyId).toBe('PeterNeumann+c74f20a3');
    expect(isSignedBy(seal(payload, note), parsePublicKey(verifier, 'k'))).toBe(true);
    expect(createPublicKey(note.privateKey).asymmetricKeyType).toBe('ed25519');
    expect(() => parseSigningKey(signer.replace('c74f20a3', 'c74f20a4'), 'key')).toThrow('its line is damaged');
    expect(() => parsePublicKey(verifier.replace('Peter', 'Paul'), 'key')).toThrow('its line is damaged');
    expect(() => parsePublicKey(pem, 'key')).toThrow('it is a private key');
    expect(() => parsePublicKey(signer, 'key')).toThrow('it is a private key');
    expect(() => parseSigningKey('text', 'key')).toThrow('is not a usable key');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    expect(() => parseSigningKey(rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), 'k')).toThrow(
      'Ed25519',
    );
  });
});

describe('a chain of certificates', () => {
  const faults = (next: typeof first) => chainFaults([certificate('a', first), certificate('b', next)]).join();

  it('holds where each begins in the state in which the one before ended', () => {
    expect(faults(second)).toBe('');
    expect(chainFaults([certificate('a', first)])).toEqual([]);
  });

  it('is broken by another order', () => {
    expect(chainFaults([certificate('b', second), certificate('a', first)]).join()).toContain(
      'a does not continue b in partition 2: it ends at tape offset 13, and the one before at 25',
    );
  });

  it.each([
    ['another state', { stateHash: hash('9') }, {}, 'begins in another state'],
    ['another anchor', { anchorHash: hash('9') }, {}, 'begins in another state'],
    ['another certificate', { derivedBy: hash('9') }, {}, 'names another certificate'],
    ['records left out of the log', {}, { log: { from: 14, to: 25 } }, 'from log offset 13 on are in neither'],
    ['a jump in the sequence', {}, { sequences: { from: 14, to: 25 }, events: 11 }, 'goes on with sequence 14'],
  ])('is broken by %s', (_what, start, output, expected) => {
    const range = rangeOf(13, 25, { ...begun, ...start });
    const changed = { ...range, outputs: range.outputs.map((held) => ({ ...held, ...output })) };
    expect(faults(statementOf([resultOf(changed)], build, 7))).toContain(expected);
  });

  it('is broken by a hole, an overlap, another tape and a certificate that does not end at an anchor', () => {
    const at = (from: number, to: number, tapeId?: string) =>
      statementOf([resultOf(rangeOf(from, to, { ...begun, offset: from }, tapeId))], build, 7);
    expect(faults(at(14, 25))).toContain('begins at tape offset 14, and the one before ends at 13');
    expect(faults(at(12, 25))).toContain('begins at tape offset 12');
    expect(faults(at(13, 25, 'other'))).toContain('is of the tape tape, and b of other');
    expect(faults(first)).toContain('begins at tape offset 0');
    const range = rangeOf(0, 13, { kind: 'BEGINNING' });
    const open = statementOf([resultOf({ ...range, end: { stateHash: null, anchorHash: null } })], build, 7);
    expect(chainFaults([certificate('a', open), certificate('b', second)]).join()).toContain(
      'does not end at an anchor',
    );
  });
});

it('names the fields that differ, at any depth', () => {
  const left = { a: 1, b: { c: [1, 2], d: 'x' } };
  expect(fieldDifferences(left, { a: 1, b: { c: [1, 3], e: null } })).toEqual([
    { field: 'b.c.1', expected: '2', found: '3' },
    { field: 'b.d', expected: '"x"', found: undefined },
    { field: 'b.e', expected: undefined, found: 'null' },
  ]);
  expect(fieldDifferences(left, left)).toEqual([]);
});
