/**
 * The last guard of secrets: whatever a library puts into an error, no secret known to this process leaves it. Every
 * secret that is read is registered here, and all output passes `redact`.
 */

/** Shorter ones would be found everywhere by chance. */
const SECRET_CHARACTERS_MIN = 6;
const SECRETS_MAX = 100;
const REPLACEMENT = '[secret]';

/** For each secret, the forms in which it may occur. The oldest is dropped first: tokens are renewed. */
const known = new Map<string, readonly string[]>();
/** The forms of all secrets, longest first: one may be part of another. */
let forms: readonly string[] = [];

/** Registers a secret. @param userName a password equal to this is not secret, and may be an everyday word. */
export function keepSecret(secret: string, userName?: string): void {
  if (secret.length < SECRET_CHARACTERS_MIN || secret === userName || known.has(secret)) return;
  const [oldest] = known.keys();
  if (known.size >= SECRETS_MAX && oldest !== undefined) known.delete(oldest);
  known.set(secret, formsOf(secret));
  sortForms();
}

/** For a token that was replaced: a process that renews tokens for weeks would drop its passwords otherwise. */
export function forgetSecret(secret: string): void {
  if (known.delete(secret)) sortForms();
}

function sortForms(): void {
  forms = [...new Set([...known.values()].flat())].sort((one, other) => other.length - one.length);
}

/** The text without the secrets that this process knows, plain or encoded. */
export function redact(text: string): string {
  let redacted = text;
  for (const form of forms) redacted = redacted.replaceAll(form, REPLACEMENT);
  return redacted;
}

/** Applies {@link redact} to all text written to standard output and standard error. */
export function redactStandardStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk: string | Uint8Array, ...rest: never[]) =>
      write(typeof chunk === 'string' ? redact(chunk) : chunk, ...rest);
  }
}

function formsOf(secret: string): string[] {
  const written = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  for (const encoding of ['base64', 'base64url'] as const) {
    for (let shift = 0; shift < 3; shift += 1) written.push(encodedCore(secret, encoding, shift));
  }
  return written;
}

/** The base64 characters of a secret at any position: `shift` bytes precede it, anything may follow it. */
function encodedCore(secret: string, encoding: 'base64' | 'base64url', shift: number): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]);
  const firstWhole = Math.ceil((shift * 8) / 6);
  const wholeCharacters = Math.floor((bytes.length * 8) / 6);
  return bytes.toString(encoding).slice(firstWhole, wholeCharacters);
}
