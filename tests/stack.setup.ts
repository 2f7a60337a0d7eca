import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import {
  DEFAULT_STACK_OPTIONS,
  freePorts,
  stackReset,
  stackUp,
  type StackEndpoints,
  type StackOptions,
} from '../stack/main.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The services of this test run, and the functions that start and end them. */
    readonly stack: { readonly options: StackOptions; readonly endpoints: StackEndpoints };
  }
}

const FOLDER = join(DEFAULT_STACK_OPTIONS.folder, '..');
const NAME = /^test-stack-(\d+)$/;
const silent = (): void => undefined;

/** Starts Kafka, the registry, Postgres and Redis once for all test files, on free ports and without data. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  await clearLeftovers();
  const options: StackOptions = {
    folder: join(FOLDER, `test-stack-${process.pid}`),
    partsFolder: DEFAULT_STACK_OPTIONS.partsFolder,
    ports: await freePorts(),
  };
  const endpoints = await stackUp(options, ({ text, subject, lasting, elapsedMs }) => {
    if (lasting)
      process.stderr.write(`${String(Math.round(elapsedMs / 100) / 10).padStart(6)} s  ${subject} ${text}\n`);
  });
  project.provide('stack', { options, endpoints });
  return async () => {
    await stackReset(options, silent);
    rmSync(options.folder, { recursive: true, force: true });
  };
}

/** Ends the processes that a killed run has left. */
async function clearLeftovers(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const name of readdirSync(FOLDER)) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid === 0 || isAlive(pid)) continue;
    const folder = join(FOLDER, name);
    await stackReset({ ...DEFAULT_STACK_OPTIONS, folder }, silent);
    rmSync(folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
