import type { ConnectionOptions } from '@platformatic/kafka';
import type { Mechanism } from 'kafkajs';

/**
 * SASL OAUTHBEARER (RFC 7628). A broker answers a refused token with a successful response whose bytes explain the
 * refusal; both client libraries take it for acceptance, and their next request ends the connection, as in an outage.
 */
const CONTROL_A = '\x01';
const LENGTH_BYTES = 4;
const REFUSED = 'SASL OAUTHBEARER authentication failed: the broker refuses the token';

type Token = () => Promise<string>;

/** For kafkajs. */
export function kafkajsOAuthBearer(token: Token): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      async authenticate() {
        const message = `n,,${CONTROL_A}auth=Bearer ${await token()}${CONTROL_A}${CONTROL_A}`;
        const accepted = await saslAuthenticate({ request: requestOf(message), response: ANSWER });
        if (accepted === true) return;
        // The end of a refusal: the broker then rejects the session, and says why.
        await saslAuthenticate({ request: requestOf(CONTROL_A) });
        throw new Error(REFUSED);
      },
    }),
  };
}

/** kafkajs has the messages of a mechanism begin with their length. */
function requestOf(message: string) {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeInt32BE(Buffer.byteLength(message));
  return { encode: () => Buffer.concat([length, Buffer.from(message)]) };
}

const ANSWER = {
  decode: (raw: Buffer) => raw.subarray(LENGTH_BYTES),
  parse: isAcceptance,
};

type AuthBytesValidator = NonNullable<NonNullable<ConnectionOptions['sasl']>['authBytesValidator']>;

/** For `@platformatic/kafka`, which closes the connection then. */
export const refuseRefusedToken: AuthBytesValidator = (answer, callback) => {
  if (isAcceptance(answer)) callback(null, answer);
  else callback(new Error(REFUSED), answer);
};

function isAcceptance(answer: Buffer): boolean {
  return answer.length === 0;
}
