import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { diskFull, StackError, systemCode } from './errors.ts';
import { spawnPrivately, type Command } from './process.ts';

const RUN_DEADLINE_MS = 60_000;
const SENTENCE_CHARACTERS_MAX = 300;

/** Runs a short program to its end and returns its output. @throws StackError naming its last line if it fails. */
export async function run(command: Command, input = ''): Promise<string> {
  const child = spawnPrivately(command, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: RUN_DEADLINE_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  const follow = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
  };
  child.stdout?.on('data', follow);
  child.stderr?.on('data', follow);
  // A program that ends without reading its input is judged by its exit code.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', (error) => {
      reject(new StackError(`${command.file} cannot be started (${systemCode(error) ?? error.message}).`, 3, error));
    });
  });
  if (code === 0) return output;
  if (/No space left on device/.test(output)) throw diskFull(command.cwd);
  throw new StackError(`${command.file} failed: ${tellingLine(output) ?? 'it printed nothing'}`);
}

/** The full path of a program on the PATH, or undefined. */
export function onPath(program: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    try {
      accessSync(join(folder, program), constants.X_OK);
      return join(folder, program);
    } catch {
      // It is not in this folder.
    }
  }
  return undefined;
}

/** The line of a log that most likely explains why a program ended: the last that mentions a failure, else the last. */
export function tellingLine(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
  const line =
    lines.findLast((candidate) => /FATAL|ERROR|Exception|[Ee]rror|failed|cannot|could not|Can't/.test(candidate)) ??
    lines.at(-1);
  return line?.trim().slice(0, SENTENCE_CHARACTERS_MAX);
}
