import { sign, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { TapeproofError } from '../../platform/errors.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const envelope = z.strictObject({
  payload: z.base64(),
  payloadType: z.string(),
  signatures: z.array(z.strictObject({ keyid: z.string().optional(), sig: z.base64() })),
});

/** A DSSE envelope; without a signature where no key was given. */
export type Envelope = z.output<typeof envelope>;

/** A key that signs, with the name by which a reader finds the public one. */
export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

/** Puts a payload in an envelope, and signs it. */
export function seal(payload: Buffer, key: SigningKey | undefined): Envelope {
  const signatures =
    key === undefined
      ? []
      : [
          {
            keyid: key.keyId,
            sig: sign(null, authenticated(PAYLOAD_TYPE, payload), key.privateKey).toString('base64'),
          },
        ];
  return { payload: payload.toString('base64'), payloadType: PAYLOAD_TYPE, signatures };
}

/**
 * Reads an envelope, without its signatures.
 *
 * @param name - of the file, for people.
 * @throws TapeproofError CHECK_FAILED
 */
export function parseEnvelope(text: string, name: string): Envelope {
  const damaged = (cause?: unknown) =>
    new TapeproofError('CHECK_FAILED', `${name} is not a certificate, or is cut off: it is not a DSSE envelope.`, {
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw damaged(error);
  }
  const parsed = envelope.safeParse(json);
  if (!parsed.success) throw damaged(parsed.error);
  if (parsed.data.payloadType !== PAYLOAD_TYPE) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `${name} holds ${JSON.stringify(parsed.data.payloadType.slice(0, 100))}, not an in-toto statement.`,
    );
  }
  return parsed.data;
}

export function payloadOf({ payload }: Envelope): Buffer {
  return Buffer.from(payload, 'base64');
}

/** Whether one of an envelope's signatures is by this key; the key ids in it are hints and are not trusted. */
export function isSignedBy(sealed: Envelope, publicKey: KeyObject): boolean {
  const signed = authenticated(sealed.payloadType, payloadOf(sealed));
  return sealed.signatures.some(({ sig }) => verify(null, signed, publicKey, Buffer.from(sig, 'base64')));
}

/** What is signed: DSSE's pre-authentication encoding (github.com/secure-systems-lab/dsse, protocol.md). */
export function authenticated(payloadType: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head, 'utf8'), payload]);
}
