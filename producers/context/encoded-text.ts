/** Where the declaration of an XML file is, whatever encoding it names. */
const DECLARATION_BYTES_MAX = 200;
const BYTE_ORDER_MARKS = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
] as const;

/**
 * A feed's text in the encoding that it names: by its byte order mark, else its `Content-Type`, else its XML declaration
 * (RFC 7303, 3); UTF-8 where none does. Undefined where its bytes are not text in that encoding, or nobody knows it.
 */
export function decodedText(bytes: Buffer, contentType?: string | null): string | undefined {
  const label = markedEncoding(bytes) ?? charsetOf(contentType) ?? declaredEncoding(bytes) ?? 'utf-8';
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function markedEncoding(bytes: Buffer): string | undefined {
  return BYTE_ORDER_MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte))?.[0];
}

function charsetOf(contentType: string | null | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([\w:.-]+)/i.exec(contentType ?? '')?.[1];
}

function declaredEncoding(bytes: Buffer): string | undefined {
  const beginning = bytes.toString('latin1', 0, DECLARATION_BYTES_MAX);
  return /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w:.-]+)["']/.exec(beginning)?.[1];
}
