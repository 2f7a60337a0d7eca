import { homedir } from 'node:os';
import { join } from 'node:path';
import { StackError } from './errors.ts';
import { run } from './run.ts';

const JAVA_VERSION_MIN = 17;
const INSTALL = `install a JDK ${JAVA_VERSION_MIN} or newer (Debian, Ubuntu: "apt install openjdk-17-jdk-headless"; macOS: "brew install openjdk@17") or set JAVA_HOME`;

/**
 * The `java` that runs services: from JAVA_HOME, else from the PATH. @throws StackError where it is missing or too old.
 */
export async function javaProgram(): Promise<string> {
  const home = process.env['JAVA_HOME'];
  const java = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  let printed: string;
  try {
    printed = await run({ file: java, args: ['-version'], cwd: homedir() });
  } catch (error) {
    throw new StackError(
      `Kafka and the schema registry run on Java, but "${java}" does not start: ${INSTALL}.`,
      3,
      error,
    );
  }
  const version = /version "(?:1\.)?(\d+)/.exec(printed)?.[1];
  if (version === undefined || Number(version) < JAVA_VERSION_MIN) {
    throw new StackError(`"${java}" is Java ${version ?? 'of an unknown version'}: ${INSTALL}.`);
  }
  return java;
}
