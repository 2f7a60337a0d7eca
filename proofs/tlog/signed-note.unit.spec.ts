import { describe, expect, it } from 'vitest';
import {
  checkpointOf,
  COSIGNED_S,
  LOG_KEY,
  ORIGIN,
  OTHER_LOG_KEY,
  treeOf,
  WITNESS_KEY,
} from '../../tests/support/signed-log.ts';
import { formatCheckpoint, logKeysFor, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts';
import { textOfUtf8 } from './encoding.ts';
import { formatSignerKey, formatVerifierKey, parseSignerKey, parseVerifierKey, verifierKey } from './note-key.ts';
import { formatNote, parseNote, signatureLine, verifiedSignatures } from './signed-note.ts';

/** From the text of C2SP signed-note. */
const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const EXAMPLE_SIGNATURE =
  '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
const EXAMPLE = `This is an example message.\n\n${EXAMPLE_SIGNATURE}`;
/** From the text of C2SP tlog-cosignature. */
const COSIGNED_EXAMPLE = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

describe('the keys of notes', () => {
  it('are read and written as in the specification', () => {
    expect(formatVerifierKey(parseVerifierKey(EXAMPLE_KEY))).toBe(EXAMPLE_KEY);
    for (const key of [LOG_KEY, WITNESS_KEY]) {
      const { privateKey, ...verifier } = parseSignerKey(formatSignerKey(key));
      expect(privateKey.equals(key.privateKey)).toBe(true);
      expect(verifier).toEqual(parseVerifierKey(formatVerifierKey(key)));
    }
  });

  it.each([
    ['nothing', '', 'it has three parts'],
    ['two parts', 'example.com/foo+530d903a', 'it has three parts'],
    ['a truncated key', EXAMPLE_KEY.slice(0, -4), 'an Ed25519 key has 32 bytes'],
    ['a broken last character', EXAMPLE_KEY.slice(0, -1), 'is not base64'],
    ['a mistyped id', EXAMPLE_KEY.replace('530d903a', '530d903b'), 'does not belong to its name and key'],
    ['a renamed key', EXAMPLE_KEY.replace('foo', 'bar'), 'does not belong to its name and key'],
    ['an id in capitals', EXAMPLE_KEY.replace('530d903a', '530D903A'), 'eight hexadecimal digits'],
    ['no name', EXAMPLE_KEY.replace('example.com/foo', ''), 'is not a valid key name'],
    ['a name with a space', EXAMPLE_KEY.replace('foo', 'f o'), 'is not a valid key name'],
    ['another algorithm', `a+00000000+${Buffer.alloc(33, 2).toString('base64')}`, 'its type 2 is neither'],
    ['a private key', formatSignerKey(LOG_KEY), 'This is a private key'],
  ])('are refused: %s', (_what, text, reason) => {
    expect(() => parseVerifierKey(text)).toThrow(reason);
  });

  it('of a log sign for the logs under its name only', () => {
    const names = ['tapeproof.local', ORIGIN, 'tapeproof.locals/x', 'other/tapeproof.local', 'tapeproof'];
    expect(names.filter((name) => logKeysFor(name, [LOG_KEY, WITNESS_KEY]).length > 0)).toEqual(names.slice(0, 2));
    expect(logKeysFor(ORIGIN, [LOG_KEY])).toEqual([verifierKey(ORIGIN, 'log', LOG_KEY.publicKey)]);
  });

  it('never show a private key in an error', () => {
    const text = formatSignerKey(LOG_KEY);
    for (const wrong of [text.slice(0, -5), text.slice(5), `${text}x`, text.replace('PRIVATE', 'PUBLIC')]) {
      let message = '';
      try {
        parseSignerKey(wrong);
      } catch (error) {
        ({ message } = error as Error);
      }
      expect(message).toContain('rivate key');
      expect(message).not.toContain(text.slice(-20, -10));
    }
  });
});

describe('a signed note', () => {
  const key = parseVerifierKey(EXAMPLE_KEY);

  it('of the specification is verified', () => {
    const note = parseNote(EXAMPLE);
    expect(note.text).toBe('This is an example message.\n');
    expect(verifiedSignatures(note, [key])).toEqual([{ key, line: EXAMPLE_SIGNATURE }]);
    expect(formatNote(note.text, [EXAMPLE_SIGNATURE])).toBe(EXAMPLE);
  });

  it('passes over signatures of unknown keys, and those that share only a name', () => {
    const line = signatureLine('This is an example message.\n', LOG_KEY);
    const note = parseNote(EXAMPLE + line);
    expect(note.signatures).toHaveLength(2);
    expect(verifiedSignatures(note, [key])).toHaveLength(1);
    expect(verifiedSignatures(note, [verifierKey('tapeproof.local', 'log', OTHER_LOG_KEY.publicKey)])).toEqual([]);
  });

  it('is not believed where its text or the signature of a known key was changed', () => {
    const changed = EXAMPLE.replace('an example', 'one example');
    expect(() => verifiedSignatures(parseNote(changed), [key])).toThrow('does not match the text');
    const forged = EXAMPLE.replace('Uw2QOkn8', 'Uw2QOkn9');
    expect(() => verifiedSignatures(parseNote(forged), [key])).toThrow('does not match the text');
  });

  it('may have empty lines in its text', () => {
    const text = 'one\n\ntwo\n';
    const note = parseNote(formatNote(text, [signatureLine(text, LOG_KEY)]));
    expect(note.text).toBe(text);
    expect(verifiedSignatures(note, [LOG_KEY])).toHaveLength(1);
  });

  it.each([
    ['without signatures', 'text\n', 'no blank line'],
    ['with a blank line and no signatures', 'text\n\n', 'its last line does not end'],
    ['without a text', `\n\n${EXAMPLE_SIGNATURE}`, 'no blank line'],
    ['cut off in its last line', EXAMPLE.slice(0, -1), 'its last line does not end'],
    ['with a carriage return', EXAMPLE.replace('.\n', '.\r\n'), 'control character'],
    ['with a tab', EXAMPLE.replace('an ', 'an\t'), 'control character'],
    ['with a hyphen for a dash', EXAMPLE.replace('— ', '- '), 'is not a signature line'],
    ['with two spaces', EXAMPLE.replace('foo ', 'foo  '), 'is not a signature line'],
    ['with a plus sign in a name', EXAMPLE.replace('com/foo', 'com+foo'), 'is not a signature line'],
    ['with a wide space in a name', EXAMPLE.replace('com/foo', 'com\u2003foo'), 'is not a signature line'],
    ['with base64 that is not canonical', EXAMPLE.replace('aQM=', 'aQN='), 'in base64'],
    ['with unpadded base64', EXAMPLE.replace('aQM=', 'aQM'), 'in base64'],
    ['with only a key id', EXAMPLE.replace(/Uw2QOkn.*=/, 'Uw2QOg=='), 'in base64'],
    ['with too many signatures', EXAMPLE + EXAMPLE_SIGNATURE.repeat(64), 'more than 64 signatures'],
    ['that is too long', `${'x'.repeat(262_144)}\n\n${EXAMPLE_SIGNATURE}`, 'more than 262144 bytes'],
  ])('is refused %s', (_what, note, reason) => {
    expect(() => parseNote(note)).toThrow(reason);
  });

  it('is refused where it is not UTF-8', () => {
    expect(() => textOfUtf8(Buffer.from([0x61, 0xff]), 'the note')).toThrow('The note is not UTF-8 text.');
    expect(() => parseNote('\ud800\n\n— a AAAAAAAA\n')).toThrow('not UTF-8');
  });
});

describe('a checkpoint', () => {
  const checkpoint = checkpointOf(treeOf(7));
  const text = formatCheckpoint(checkpoint);

  it('is read as it was written', () => {
    expect(parseCheckpoint(text)).toEqual(checkpoint);
    const extended = { ...checkpoint, extensions: ['one', 'two'] };
    expect(parseCheckpoint(formatCheckpoint(extended))).toEqual(extended);
    expect(parseCheckpoint(parseNote(COSIGNED_EXAMPLE).text)).toMatchObject({
      ...{ origin: 'example.com/behind-the-sofa', size: 20_852_163, extensions: [] },
    });
  });

  it.each([
    ['two lines', 'a\n1\n', 'it needs origin, size and root'],
    ['an empty line', text.replace('\n7', '\n\n7'), 'it needs origin, size and root'],
    ['a size with a leading zero', text.replace('\n7\n', '\n07\n'), 'size'],
    ['a negative size', text.replace('\n7\n', '\n-7\n'), 'size'],
    ['a size of 2^53', text.replace('\n7\n', '\n9007199254740992\n'), 'size'],
    ['a short root', text.replace(/\n[^\n]+\n$/, '\nAAAA\n'), 'root'],
  ])('is refused with %s', (_what, wrong, reason) => {
    expect(() => parseCheckpoint(wrong)).toThrow(reason);
  });

  it('is opened by the key of its log, under the name of the log', () => {
    const opened = openCheckpoint(signCheckpoint(checkpoint, [LOG_KEY]), [LOG_KEY]);
    expect(opened).toMatchObject({ ...checkpoint, logKey: { name: ORIGIN } });
  });

  it('is opened by either key while one replaces the other', () => {
    const note = signCheckpoint(checkpoint, [OTHER_LOG_KEY, LOG_KEY]);
    for (const key of [LOG_KEY, OTHER_LOG_KEY]) expect(openCheckpoint(note, [key]).size).toBe(7);
  });

  it('is refused with another key, without one, and by a key of another name', () => {
    const note = signCheckpoint(checkpoint, [LOG_KEY]);
    expect(() => openCheckpoint(note, [OTHER_LOG_KEY])).toThrow('is not signed with this key');
    expect(() => openCheckpoint(note, [])).toThrow("none of the given keys () is that log's");
    const stranger = verifierKey('other.example', 'log', LOG_KEY.publicKey);
    expect(() => openCheckpoint(note, [stranger])).toThrow('(other.example)');
    expect(() => openCheckpoint(note.replace('\n7\n', '\n8\n'), [LOG_KEY])).toThrow('does not match the text');
    expect(() => signCheckpoint(checkpoint, [WITNESS_KEY])).toThrow('does not sign for the log');
  });
});

describe('a cosignature', () => {
  const text = formatCheckpoint(checkpointOf(treeOf(7)));
  const line = signatureLine(text, WITNESS_KEY, COSIGNED_S);
  const verify = (lines: string) => verifiedSignatures(parseNote(formatNote(text, [lines])), [WITNESS_KEY]);
  /** The line with one byte of its signature changed. */
  const changedAt = (byte: number): string => {
    const [dash = '', name = '', base64 = ''] = line.trimEnd().split(' ');
    const bytes = Buffer.from(base64, 'base64');
    bytes[byte]! ^= 1;
    return `${dash} ${name} ${bytes.toString('base64')}\n`;
  };

  it('states when the checkpoint was seen', () => {
    expect(verify(line)).toMatchObject([{ key: { name: 'witness.example' }, timeS: COSIGNED_S, line }]);
  });

  it('is wrong with another time, another text or a changed signature', () => {
    for (const byte of [4, 11, 12, 75]) expect(() => verify(changedAt(byte))).toThrow('does not match the text');
    expect(() => verifiedSignatures(parseNote(formatNote(`${text}more\n`, [line])), [WITNESS_KEY])).toThrow(
      'does not match the text',
    );
  });

  it('is wrong where it is cut off', () => {
    const [dash = '', name = '', base64 = ''] = line.trimEnd().split(' ');
    for (const bytes of [5, 11, 12, 75]) {
      const short = Buffer.from(base64, 'base64').subarray(0, bytes).toString('base64');
      expect(() => verify(`${dash} ${name} ${short}\n`)).toThrow('does not match the text');
    }
  });

  it('needs a time', () => {
    for (const time of [undefined, 0, -1, 1.5])
      expect(() => signatureLine(text, WITNESS_KEY, time)).toThrow(RangeError);
  });

  it('is not a signature of the text itself', () => {
    const asLog = signatureLine(text, { ...WITNESS_KEY, type: 'log' });
    expect(() => verify(asLog)).toThrow('does not match the text');
  });
});
