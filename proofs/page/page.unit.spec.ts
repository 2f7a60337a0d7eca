import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  bytesOfEvent,
  LOG_KEY,
  OTHER_LOG_KEY,
  proofOf,
  SECOND_WITNESS_KEY,
  treeOf,
  WITNESS_KEY,
} from '../../tests/support/signed-log.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { formatSignerKey, formatVerifierKey, parseVerifierKey } from '../tlog/note-key.ts';
import { textOfUtf8 } from '../tlog/encoding.ts';
import { eventHashOf, formatProof, parseProof, verifyProof } from '../tlog/tlog-proof.ts';
import { proofPage } from './page.adapter.ts';
import type { Asked, Result, Verdict } from './verify-in-browser.ts';

const page = await proofPage();
const contentOf = (tag: string) => new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`).exec(page)?.[1] ?? '';
const script = contentOf('script');
/** The script of the page itself, up to the part that meets the document. */
const own = script.slice(0, script.indexOf('const element ='));
const { verify, hasEd25519 } = (await import(`data:text/javascript;base64,${Buffer.from(own).toString('base64')}`)) as {
  verify: (bytes: Uint8Array, asked: Asked) => Promise<Result>;
  hasEd25519: () => Promise<boolean>;
};

const PROOF = formatProof(proofOf(treeOf(20), 11));
const LOG = formatVerifierKey(LOG_KEY);
const WITNESSES = [WITNESS_KEY, SECOND_WITNESS_KEY].map(formatVerifierKey);
const HASH = eventHashOf(bytesOfEvent(11)).toString('hex');

/** What verify-proof says of the same file and keys. */
function verdictOf(bytes: Buffer, { logKeys, witnessKeys, witnessesMin, eventHash }: Asked): Verdict {
  try {
    const keys = { logKeys: logKeys.map(parseVerifierKey), witnessKeys: witnessKeys.map(parseVerifierKey) };
    const proof = parseProof(textOfUtf8(bytes, 'the proof'));
    const event = eventHash === undefined ? eventHashOf(proof.extra!) : Buffer.from(eventHash, 'hex');
    const report = verifyProof(proof, event, { ...keys, witnessesMin: witnessesMin ?? witnessKeys.length });
    return report.checks.every(({ passed }) => passed) ? 'PROVEN' : 'NOT PROVEN';
  } catch (error) {
    if (error instanceof TapeproofError && error.code === 'NOT_USABLE') return 'NOT USABLE';
    throw error;
  }
}

const asked = (change: Partial<Asked> = {}): Asked => ({ logKeys: [LOG], witnessKeys: WITNESSES, ...change });
const compared = async (bytes: Buffer, question: Asked): Promise<Verdict> => {
  const { verdict, reason } = await verify(new Uint8Array(bytes), question);
  expect(verdict, reason).toBe(verdictOf(bytes, question));
  return verdict;
};

describe('the page', () => {
  it('is one file that may run only its own script, and connect to nothing', () => {
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    for (const [directive, tag] of Object.entries({ 'script-src': 'script', 'style-src': 'style' })) {
      expect(policy).toContain(`${directive} 'sha256-${hash('sha256', contentOf(tag), 'base64')}'`);
    }
    expect(policy).toContain("default-src 'none'");
    expect(page).not.toMatch(/<(?:link|img|iframe)|https?:\/\/|\bimport\b|url\(| style="| on[a-z]+="/);
    expect(page.match(/<script/g)).toHaveLength(1);
  });

  it('shows what it rests on', async () => {
    expect(await hasEd25519()).toBe(true);
    const result = await verify(new Uint8Array(Buffer.from(PROOF)), asked());
    expect(result).toMatchObject({ verdict: 'PROVEN', reason: '', eventHash: HASH });
    expect(result.place).toBe('leaf 11 of 20 in tapeproof.local/tape-1/probability.decisions/0');
    expect(result.steps.map(({ passed, restsOn }) => [passed, restsOn.split(' ').slice(0, 3).join(' ')])).toEqual([
      [true, 'SHA-256 alone'],
      [true, 'the key of'],
      [true, 'the keys, clocks'],
    ]);
  });

  it.each<[string, string, Partial<Asked>, Verdict]>([
    ['the proof', PROOF, {}, 'PROVEN'],
    ['one of two witnesses', PROOF.replace(/— witness.*\n/, ''), { witnessesMin: 1 }, 'PROVEN'],
    ['no witness', PROOF, { witnessKeys: [] }, 'PROVEN'],
    ['the hash given', PROOF, { eventHash: HASH }, 'PROVEN'],
    ['another event', PROOF, { eventHash: 'ab'.repeat(32) }, 'NOT PROVEN'],
    ['a missing cosignature', PROOF.replace(/— witness.*\n/, ''), {}, 'NOT PROVEN'],
    ['another size', PROOF.replace('\n20\n', '\n21\n'), {}, 'NOT PROVEN'],
    ['another index', PROOF.replace('index 11', 'index 10'), {}, 'NOT PROVEN'],
    ['a hash less', PROOF.replace(/(index 11\n)[^\n]+\n/, '$1'), {}, 'NOT PROVEN'],
    ['a hash more', PROOF.replace(/(index 11\n)([^\n]+\n)/, '$1$2$2'), {}, 'NOT PROVEN'],
    ['another log', PROOF.replaceAll('tape-1', 'tape-2'), {}, 'NOT USABLE'],
    ['the key of another log', PROOF, { logKeys: [formatVerifierKey(OTHER_LOG_KEY)] }, 'NOT USABLE'],
    ['both keys of a log', PROOF, { logKeys: [formatVerifierKey(OTHER_LOG_KEY), LOG] }, 'PROVEN'],
    ['a mistyped key', PROOF, { logKeys: [LOG.replace('local', 'locale')] }, 'NOT USABLE'],
    [
      'a mistyped key of a witness',
      PROOF,
      { witnessKeys: [WITNESSES[0]!.replace('example', 'exampel')] },
      'NOT USABLE',
    ],
    ['a private key', PROOF, { logKeys: [formatSignerKey(LOG_KEY)] }, 'NOT USABLE'],
    ['converted line ends', PROOF.replaceAll('\n', '\r\n'), {}, 'NOT USABLE'],
    ['another version', PROOF.replace('@v1', '@v2'), {}, 'NOT USABLE'],
    ['an index with a zero before it', PROOF.replace('index 11', 'index 011'), {}, 'NOT USABLE'],
    ['no index', PROOF.replace('index 11\n', ''), {}, 'NOT USABLE'],
    ['nothing', '', {}, 'NOT USABLE'],
  ])('comes to the verdict of verify-proof: %s', async (_what, text, change, verdict) => {
    expect(await compared(Buffer.from(text), asked(change))).toBe(verdict);
  });

  it('comes to the same verdict for each flipped bit and each truncation', async () => {
    const seen = new Set<Verdict>();
    const bytes = Buffer.from(PROOF);
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (at % 8)), at);
      const verdict = await compared(flipped, asked());
      expect(verdict, `bit ${at % 8} of byte ${at}`).not.toBe('PROVEN');
      seen.add(verdict);
      expect(await compared(bytes.subarray(0, at), asked())).not.toBe('PROVEN');
    }
    expect(seen).toEqual(new Set(['NOT PROVEN', 'NOT USABLE']));
  });

  it('refuses a key of the other kind, one given twice, none, and bytes that are not UTF-8', async () => {
    const [first = '', second = ''] = WITNESSES;
    const verdicts = await Promise.all(
      [
        asked({ logKeys: [first] }),
        asked({ witnessKeys: [LOG] }),
        asked({ witnessKeys: [second, second] }),
        asked({ logKeys: [] }),
        asked({ witnessesMin: 3 }),
        asked({ eventHash: 'abc' }),
      ].map(async (question) => (await verify(new Uint8Array(Buffer.from(PROOF)), question)).verdict),
    );
    expect(new Set(verdicts)).toEqual(new Set(['NOT USABLE']));
    expect(await compared(Buffer.from([0xff, 0xfe]), asked())).toBe('NOT USABLE');
  });
});
