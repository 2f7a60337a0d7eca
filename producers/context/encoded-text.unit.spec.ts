import { describe, expect, it } from 'vitest';
import { decodedText } from './encoded-text.ts';

const declared = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?><t>M\u00fcnchen \u20ac</t>`;

describe('the text of a feed', () => {
  it.each([
    ['UTF-8 unless it says otherwise', Buffer.from('M\u00fcnchen'), undefined, 'M\u00fcnchen'],
    [
      'as its XML declaration says',
      Buffer.from([...Buffer.from('<?xml version="1.0" encoding="windows-1252"?>'), 0xfc, 0x80]),
      undefined,
      '<?xml version="1.0" encoding="windows-1252"?>\u00fc\u20ac',
    ],
    ['as its Content-Type says', Buffer.from([0xfc]), 'text/xml; charset=iso-8859-1', '\u00fc'],
    [
      'as its Content-Type says, whatever its XML declaration says',
      Buffer.from(declared('iso-8859-1')),
      'text/xml; Charset="UTF-8"',
      declared('iso-8859-1'),
    ],
    [
      'as its byte order mark says',
      Buffer.from('\ufeffM\u00fcnchen', 'utf16le'),
      'text/xml; charset=utf-8',
      'M\u00fcnchen',
    ],
    ['UTF-8 behind its mark, which is not part of it', Buffer.from('\ufeffx'), undefined, 'x'],
  ])('is read %s', (_how, bytes, contentType, text) => {
    expect(decodedText(bytes, contentType)).toBe(text);
  });

  it.each([
    ['that is not UTF-8 and names nothing else', Buffer.from([0x4d, 0xfc, 0x6e]), undefined],
    ['in an encoding that nobody knows', Buffer.from(declared('x-made-up')), undefined],
    ['cut within a character', Buffer.from('\u20ac').subarray(0, 2), 'text/plain; charset=utf-8'],
  ])('is not made of bytes %s', (_what, bytes, contentType) => {
    expect(decodedText(bytes, contentType)).toBeUndefined();
  });
});
