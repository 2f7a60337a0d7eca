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
import { LANES } from './lanes.ts';

/** The services of a lane, and what starts and ends them. */
interface TestStack {
  readonly options: StackOptions;
  readonly endpoints: StackEndpoints;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** One for each lane of this test run. */
    readonly stacks: readonly TestStack[];
  }
}

const FOLDER = join(DEFAULT_STACK_OPTIONS.folder, '..');
const NAME = /^test-stack-(\d+)/;
const silent = (): void => undefined;

/** Starts Kafka, the registry, Postgres and Redis once for each lane, on free ports and without data. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  await clearLeftovers();
  const files = project.vitest.state.getPaths().filter((path) => project.matchesTestGlob(path));
  const allOptions = await optionsOf(Math.min(LANES, Math.max(1, files.length)));
  project.provide('stacks', await Promise.all(allOptions.map(start)));
  return async () => {
    await Promise.all(allOptions.map(remove));
  };
}

/** @returns options of as many stacks that share no port. */
async function optionsOf(count: number): Promise<StackOptions[]> {
  const found: StackOptions[] = [];
  const taken = new Set<number>();
  while (found.length < count) {
    const ports = await freePorts();
    const numbers = Object.values({ ...ports });
    if (numbers.some((port) => taken.has(port))) continue;
    for (const port of numbers) taken.add(port);
    const folder = join(FOLDER, `test-stack-${process.pid}-${found.length}`);
    found.push({ folder, partsFolder: DEFAULT_STACK_OPTIONS.partsFolder, ports, isShortLived: true });
  }
  return found;
}

async function start(options: StackOptions, lane: number): Promise<TestStack> {
  const endpoints = await stackUp(options, ({ text, subject, lasting, elapsedMs }) => {
    const seconds = String(Math.round(elapsedMs / 100) / 10).padStart(6);
    if (lasting) process.stderr.write(`${seconds} s  stack ${lane + 1}: ${subject} ${text}\n`);
  });
  return { options, endpoints };
}

async function remove(options: StackOptions): Promise<void> {
  await stackReset(options, silent);
  rmSync(options.folder, { recursive: true, force: true });
}

/** Ends the processes that a killed run has left. */
async function clearLeftovers(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const name of readdirSync(FOLDER)) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid === 0 || isAlive(pid)) continue;
    await remove({ ...DEFAULT_STACK_OPTIONS, folder: join(FOLDER, name) });
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
