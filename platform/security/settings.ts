import { readFileSync } from 'node:fs';
import { TapeproofError } from '../errors.ts';
import { keepSecret } from './redaction.ts';
import type { SecretVariable, ServiceKey, Variable } from './variables.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const SECRET_BYTES_MAX = 65_536;

/**
 * The settings for connecting to the services: the environment, or the local stack's. Identity belongs to the process,
 * not to its tasks: code that opens a connection asks here, and no secret travels with an address.
 */
let processSettings: Environment = process.env;

export function settings(): Environment {
  return processSettings;
}

/** Before the first connection. */
export function useSettings(environment: Environment): void {
  processSettings = environment;
}

/** A variable's value; undefined where it is unset or empty. */
export function setting(environment: Environment, variable: Variable): string | undefined {
  const value = environment[variable];
  return value === '' ? undefined : value;
}

/**
 * A secret: the variable's value, or the content of the file that the variable with `_FILE` names, a newline at its end
 * cut off. It is registered for redaction.
 *
 * @throws TapeproofError CONFIGURATION, whose message never repeats a value.
 */
export function secretSetting(
  environment: Environment,
  variable: SecretVariable,
  userName?: string,
): string | undefined {
  const secret = valueOrContent(environment, variable);
  // In a URL only the password is secret.
  if (secret !== undefined && !variable.endsWith('_URL')) keepSecret(secret, userName);
  return secret;
}

function valueOrContent(environment: Environment, variable: SecretVariable): string | undefined {
  const value = setting(environment, variable);
  const fileVariable = `${variable}_FILE`;
  const file = environment[fileVariable];
  if (file === undefined || file === '') return value;
  if (value !== undefined) {
    throw new TapeproofError('CONFIGURATION', `${variable} and ${fileVariable} are both set: give one of them.`);
  }
  const content = contentOf(fileVariable, file)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (content !== '') return content;
  throw new TapeproofError('CONFIGURATION', `The file that ${fileVariable} names is empty: put the secret into it.`);
}

/** The content of the file that a variable names; undefined where it is unset. @throws TapeproofError CONFIGURATION */
export function fileSetting(environment: Environment, variable: Variable): Buffer | undefined {
  const file = setting(environment, variable);
  return file === undefined ? undefined : contentOf(variable, file);
}

/** The content of a wrong file must not be shown, nor its name, which may be the secret itself. */
function contentOf(variable: string, file: string): Buffer {
  try {
    const content = readFileSync(file);
    if (content.length <= SECRET_BYTES_MAX) return content;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown cause';
    throw new TapeproofError(
      'CONFIGURATION',
      `The file that ${variable} names cannot be read (${reason}): give the path of a file that this process may read.`,
    );
  }
  throw new TapeproofError(
    'CONFIGURATION',
    `The file that ${variable} names has more than ${SECRET_BYTES_MAX} bytes: give the intended file.`,
  );
}

/** User name and password from a service's variables. @throws TapeproofError CONFIGURATION */
export function credentialSettings(
  environment: Environment,
  service: ServiceKey,
): { readonly username?: string; readonly password?: string } {
  const username = setting(environment, `TAPEPROOF_${service}_USERNAME`);
  const password = secretSetting(environment, `TAPEPROOF_${service}_PASSWORD`, username);
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}
