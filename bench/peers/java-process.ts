import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { javaProgram } from '../../stack/java.ts';
import { endWithUs } from '../child.ts';
import type { RunningProcess } from './measurement.ts';

const STOP_DEADLINE_MS = 30_000;

/** Starts a Java program that goes on until it is stopped. @param name - of it, in a sentence. */
export async function startJava(words: readonly string[], name: string): Promise<RunningProcess> {
  const child = spawn(await javaProgram(), words, { stdio: ['ignore', 'ignore', 'inherit'] });
  endWithUs(child);
  const ended = once(child, 'close');
  if (child.pid === undefined) throw new Error(`${name} cannot be started`);
  return {
    pid: child.pid,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
