import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../bin/program.ts';
import { roleOf } from '../bin/role.ts';
import { DEFAULT_PARTITIONS } from '../contracts/topics.ts';
import { startHealthServer } from '../platform/health/server.ts';
import { METRICS } from '../platform/metrics/catalogue.ts';
import { VARIABLES, type VariableDefinition } from '../platform/security/variables.ts';
import { noTelemetry } from '../platform/telemetry.ts';
import { PROJECTORS } from '../projectors/catalogue.ts';
import { ROLES } from '../stack/kafka-principals.ts';
import { isAllowed } from '../stack/kafka-rules.ts';
import {
  DASHBOARD_PORT,
  environmentOf,
  HEALTH_PATHS,
  HEALTH_PORT,
  JOBS,
  LAG_METRIC,
  PROCESSES,
  secretsOf,
  SERVICES,
  type DeployedService,
} from './services.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const ADDRESSES = {
  kafkaBrokers: 'kafka:9092',
  registryUrl: 'http://registry:8080/apis/ccompat/v7',
  postgresUrl: 'postgres://postgres:5432/tapeproof',
  redisUrl: 'redis://redis:6379',
};

interface Parsed {
  readonly command: Command;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What the program makes of the words, without running it. */
async function parsed(words: readonly string[]): Promise<Parsed> {
  let found: Parsed | undefined;
  const watch = (command: Command): void => {
    command.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    command.action(() => {
      found = { command, options: command.opts() };
    });
    for (const child of command.commands) watch(child);
  };
  const program = buildProgram();
  for (const command of program.commands) watch(command);
  program.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  await program.parseAsync(words, { from: 'user' });
  if (found === undefined) throw new Error(`no command runs by ${words.join(' ')}`);
  return found;
}

const named = (services: readonly DeployedService[]) => services.map((service) => [service.name, service] as const);

describe('the list of services', () => {
  it('has each name once, and names that every platform takes', () => {
    expect(new Set(SERVICES.map(({ name }) => name)).size).toBe(SERVICES.length);
    for (const { name } of SERVICES) expect(name).toMatch(/^[a-z][a-z0-9-]{0,40}$/);
  });

  it('runs every projector of this build, each once', () => {
    const run = PROCESSES.flatMap(({ command }) => (command[0] === 'projector' ? [command[2]] : []));
    expect(run).toEqual(PROJECTORS.map(({ name }) => name));
  });

  it.each(named(SERVICES))('%s is a command of the program, with its options and its principal', async (_, service) => {
    const { command } = await parsed(service.command);
    // A group's name alone shows help.
    expect(command.commands).toEqual([]);
    expect(roleOf(command)).toBe(service.role);
    expect(ROLES).toContain(service.role);
  });

  it.each(named(PROCESSES))('%s answers where the platforms ask', async (_, service) => {
    const { options } = await parsed(service.command);
    expect(options).toMatchObject({ httpPort: HEALTH_PORT, httpHost: '0.0.0.0' });
  });

  it('serves its pages where the platforms ask', async () => {
    const serving = PROCESSES.filter(({ servesPort }) => servesPort !== undefined);
    expect(serving.map(({ name }) => name)).toEqual(['dashboard']);
    const { options } = await parsed(serving[0]!.command);
    expect(options).toMatchObject({ port: DASHBOARD_PORT, host: '0.0.0.0' });
  });

  it('names health paths that the server has', async () => {
    const eventLoop = { isResponsive: true, delayMs: 0, close: () => undefined };
    const server = await startHealthServer({
      ...{ service: 'engine', host: '127.0.0.1', port: 0, telemetry: noTelemetry(), eventLoop },
    });
    try {
      for (const path of Object.values(HEALTH_PATHS)) {
        expect((await fetch(`http://127.0.0.1:${server.port}${path}`)).status, path).not.toBe(404);
      }
    } finally {
      await server.close();
    }
  });

  it.each(named(SERVICES))('%s gets variables that the program reads, and no secret among them', (_, service) => {
    const variables = Object.keys(environmentOf(service, ADDRESSES)).filter((name) => name !== 'TAPEPROOF_LOG_FORMAT');
    const definitions: Readonly<Record<string, VariableDefinition>> = VARIABLES;
    expect(variables.filter((name) => definitions[name] === undefined)).toEqual([]);
    expect(readFileSync(join(REPOSITORY, 'platform', 'log.ts'), 'utf8')).toContain('TAPEPROOF_LOG_FORMAT');
    expect(Object.values(environmentOf(service, ADDRESSES)).join(' ')).not.toMatch(/:[^/@\s]+@/);
    for (const { variable } of secretsOf(service)) expect(definitions[variable]?.secret).toBe(true);
  });

  it('gives a store’s password only to who connects to it, and no process the migrator’s', () => {
    const holders = (secret: string) =>
      SERVICES.filter((service) => secretsOf(service).some((use) => use.secret === secret)).map(({ name }) => name);
    expect(holders('postgres-migrator')).toEqual(['migrate']);
    expect(holders('postgres-reader')).toEqual(['dashboard']);
    expect(holders('checkpoint-key')).toEqual(['checkpoints']);
    expect(holders('dashboard-token')).toEqual(['dashboard']);
    const bySink = (wanted: string) =>
      PROJECTORS.filter(({ sink }) => sink === wanted).map(({ name }) => `projector-${name}`);
    expect(holders('postgres-projector')).toEqual(bySink('postgres'));
    expect(holders('redis')).toEqual([...bySink('redis'), 'dashboard']);
  });

  it('has one writer of each derived topic, and an engine that writes no trade', () => {
    const writers = PROCESSES.filter(({ role }) => isAllowed(role, 'WRITE', 'TOPIC', 'probability.decisions'));
    expect(writers.map(({ name }) => name)).toEqual(['engine']);
    expect(isAllowed('engine', 'WRITE', 'TOPIC', 'raw.trades')).toBe(false);
  });

  it('waits only for jobs, in an order that ends', () => {
    const ended = new Set<string>();
    for (const { name, after } of JOBS) {
      expect(after.filter((before) => !ended.has(before))).toEqual([]);
      ended.add(name);
    }
    for (const { after } of PROCESSES) expect(after.filter((before) => !ended.has(before))).toEqual([]);
    // docker compose up --wait takes the end of a job that nothing waits for as a failure.
    for (const { name } of JOBS)
      expect(
        SERVICES.some(({ after }) => after.includes(name)),
        name,
      ).toBe(true);
  });

  it('adds processes by a metric that each of them has, and no more than there are partitions', () => {
    for (const { command, replicas } of PROCESSES) {
      if (replicas.kind !== 'by-lag') continue;
      expect(METRICS[LAG_METRIC].at).toContain(command[0]);
      expect(METRICS[LAG_METRIC].type).toBe('gauge');
      expect(replicas.max).toBeLessThanOrEqual(DEFAULT_PARTITIONS);
      expect(replicas.max).toBeGreaterThan(replicas.min);
    }
  });
});
