import { TapeproofError } from '../errors.ts';
import { forgetSecret, keepSecret } from '../security/redaction.ts';
import { setting, type Environment } from '../security/settings.ts';

const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;
/** A token lasts 15 minutes; it is signed anew when this little is left, so that sessions do not become short. */
const RENEW_BEFORE_MS = 300_000;

/** Signs a token for a region; {@link tokenByAwsRole} says how. */
type Sign = (options: { readonly region: string }) => Promise<{ readonly token: string; readonly expiryTime: number }>;

/**
 * Tokens for Amazon MSK with IAM: each is a request signed with this process's AWS credentials (a task's role, a service
 * account's, variables); undefined where TAPEPROOF_KAFKA_AWS_REGION is not set. What the process may do is decided by its
 * role's policy alone. The function rejects with TapeproofError UNREACHABLE when there are no credentials.
 *
 * @param sign - for tests; else AWS's own signer.
 * @throws TapeproofError CONFIGURATION when the region is not valid.
 */
export function tokenByAwsRole(environment: Environment, sign: Sign = signByAws): (() => Promise<string>) | undefined {
  const region = setting(environment, 'TAPEPROOF_KAFKA_AWS_REGION');
  if (region === undefined) return undefined;
  if (!REGION.test(region)) {
    throw new TapeproofError(
      'CONFIGURATION',
      'TAPEPROOF_KAFKA_AWS_REGION is not a valid region: give the one of the cluster, such as eu-central-1.',
    );
  }
  let signed: { readonly token: string; readonly expiryTime: number } | undefined;
  let signing: Promise<string> | undefined;
  const renew = async (): Promise<string> => {
    const next = await sign({ region }).catch((error: unknown) => {
      throw withoutCredentials(error);
    });
    if (signed !== undefined) forgetSecret(signed.token);
    keepSecret(next.token);
    signed = next;
    return next.token;
  };
  return () => {
    if (signed !== undefined && Date.now() < signed.expiryTime - RENEW_BEFORE_MS) return Promise.resolve(signed.token);
    signing ??= renew().finally(() => {
      signing = undefined;
    });
    return signing;
  };
}

/** Loaded on demand: only processes on AWS need it. */
const signByAws: Sign = async (options) => {
  const { generateAuthToken } = await import('aws-msk-iam-sasl-signer-js');
  return await generateAuthToken(options);
};

/** Without a cause: kafkajs would report that in its place. */
function withoutCredentials(error: unknown): TapeproofError {
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  return new TapeproofError(
    'UNREACHABLE',
    `AWS gives this process no credentials to sign a token for Kafka with (${reason}): give its task or service account a role.`,
  );
}
