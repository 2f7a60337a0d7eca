import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody, encodeBody } from '../contracts/codec.ts';
import { TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import { ALERTS } from '../observability/alerts.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import { stopService } from '../stack/main.ts';
import { World } from './faults/world.ts';
import { environmentOf, runCommand, type CommandResult } from './support/command.ts';
import { commandsIn, wordsOf } from './support/printed-commands.ts';
import { startEngine } from './support/running-engine.ts';
import { startProjector } from './support/running-projector.ts';
import { stackConnections, stackOptions, startAgain } from './support/stack.ts';
import { until } from './support/until.ts';

const TRADES = 3_000;
const DECISIONS: TopicName = 'probability.decisions';
const PROJECTORS = ['redis-latest', 'oracle-check'];
/** Runbooks that another test follows, in the state that the alert means. */
const FOLLOWED_ELSEWHERE: Readonly<Record<string, readonly [file: string, title: string]>> = {
  TapeproofRootDiffers: [
    'forged-log.long.spec.ts',
    'holds a projector to its roots: a forged decision that is stored is marked, and the printed remedy removes it',
  ],
  TapeproofLogDiffers: [
    'checkpoints.integration.spec.ts',
    'finds a consistent rewrite of everything by the recorded heads',
  ],
};

const connections = stackConnections();
const world = new World(connections, join(stackOptions().folder, '..', 'test-logs-runbooks'));
const followed = new Set(Object.keys(FOLLOWED_ELSEWHERE));
/** What a command printed in the state of one test: alerts share commands. */
let printed = new Map<string, CommandResult>();
let engine: ReturnType<typeof startEngine>;
const projectors: ReturnType<typeof startProjector>[] = [];

function commandsOf(alert: string): readonly string[] {
  const rule = ALERTS.find(({ name }) => name === alert);
  if (rule === undefined) throw new Error(`there is no alert ${alert}`);
  return commandsIn(rule.action).map(({ text }) => text);
}

/**
 * Runs the commands of an alert's runbook as they are printed.
 *
 * @param given - what the operator knows, for the words in capitals.
 */
async function follow(alert: string, given: Readonly<Record<string, string>> = {}): Promise<readonly CommandResult[]> {
  followed.add(alert);
  const results: CommandResult[] = [];
  for (const text of commandsOf(alert)) {
    const words = wordsOf(text).map((word) => given[word] ?? word);
    const result = printed.get(words.join(' ')) ?? (await run(...words.slice(1)));
    printed.set(words.join(' '), result);
    // Neither refused as wrong usage, nor ended by an error without a sentence.
    expect([0, 1, 3], `${text}: ${result.stderr}`).toContain(result.exitCode);
    results.push(result);
  }
  expect(results.length).toBeGreaterThan(0);
  return results;
}

function run(...words: string[]): Promise<CommandResult> {
  const ports = Object.entries(stackOptions().ports).map(([name, port]): [string, string] => [
    `TAPEPROOF_STACK_PORT_${name.toUpperCase()}`,
    String(port),
  ]);
  const stack = { TAPEPROOF_STACK_FOLDER: stackOptions().folder, ...Object.fromEntries(ports) };
  return runCommand(words, { ...environmentOf(connections), ...stack });
}

beforeAll(async () => {
  await world.connect();
  await world.reset(false);
  await world.activate();
  await world.trade(0, TRADES);
  engine = startEngine();
  projectors.push(...PROJECTORS.map(startProjector));
  await world.untilCaughtUp(PROJECTORS);
});
afterEach(() => {
  printed = new Map();
});
afterAll(async () => {
  await Promise.allSettled([engine.stop(), ...projectors.map((projector) => projector.stop())]);
  await world.close();
});

describe('the runbook of an alert', () => {
  it('names what a dead letter was, and whether the schemas are those of this build', async () => {
    await world.poison();
    await world.untilEngineCaughtUp();
    const [letters] = await follow('TapeproofDeadLetters');
    expect(letters).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(TAPE_TOPIC) as string });
    const [, schemas] = await follow('TapeproofMostlyRefused');
    expect(schemas).toMatchObject({ exitCode: 0 });
  });

  it('confirms an indicator that two computations agree on', async () => {
    const [snapshot] = await world.recordsOf('indicator.snapshots');
    const { eventId } = decodeBody('IndicatorSnapshot', bodyOf(snapshot!.value!));
    const [oracle, audit] = await follow('TapeproofOracleDivergence', { ID: eventId });
    expect(oracle).toMatchObject({ exitCode: 0 });
    expect(audit).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('derived again') as string });
  });

  it('restores a read model whose keys were dropped', async () => {
    await projectors[0]!.stop();
    const [rebuilt] = await follow('TapeproofStoreEvicts', { NAME: PROJECTORS[0]! });
    expect(rebuilt).toMatchObject({ exitCode: 0 });
  });

  it('names the service that is down', async () => {
    await stopService(stackOptions(), 'redis');
    const [status] = await follow('TapeproofDependencyDown');
    await startAgain('redis');
    expect(status).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/redis +│ stopped/) as string });
  });

  it('names who put another engine in force, and takes that back', async () => {
    await world.activate('999');
    const [listed] = [await run('report', 'activations', '--json')];
    const { activations } = JSON.parse(listed.stdout) as {
      activations: { activationId: string; engineVersion: string }[];
    };
    const { activationId = '' } = activations.find(({ engineVersion }) => engineVersion === '999') ?? {};
    const [activated, reported, revoked] = await follow('TapeproofOtherEngineInForce', { ID: activationId });
    expect(activated).toMatchObject({ exitCode: 0 });
    expect(reported).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('999') as string });
    expect(revoked, revoked?.stderr).toMatchObject({ exitCode: 0 });
    await world.untilEngineCaughtUp();
  });

  it('shows which readers are behind while no engine runs', async () => {
    await engine.stop();
    await world.trade(TRADES, 500);
    // What takes too long is left out, and said to be.
    let status: CommandResult | undefined;
    await until('it says who is behind', async () => {
      printed.clear();
      [status] = await follow('TapeproofBehindTheMarket');
      return status?.stdout.includes('records behind') === true;
    }).catch((error: unknown) => {
      throw new Error(`it says: ${status?.stdout ?? ''}`, { cause: error });
    });
    expect(status?.exitCode).toBe(1);
  });

  it('names the first event that differs after a forged one, whichever alert it came by', async () => {
    const [record] = await world.recordsOf(DECISIONS);
    const decision = decodeBody('ProbabilityDecision', bodyOf(record!.value!));
    const forged = { ...decision, probability: 0.987 };
    const kafka = createKafka(connections.kafkaBrokers, 'test-runbooks', createLog('test', 'silent'));
    const producer = createRecordProducer(kafka, createRegistry(connections.registryUrl));
    const body = encodeBody('ProbabilityDecision', forged);
    const place = { topic: DECISIONS, partition: record!.partition, key: forged.instrument } as const;
    await producer.send([{ ...place, type: 'ProbabilityDecision', body, timestampUs: forged.eventTime }]);
    await producer.disconnect();
    for (const alert of ['NoEngine', 'Restarting', 'Conflicts', 'ForeignEvents', 'AnchorRejected']) {
      const [certified] = await follow(`Tapeproof${alert}`);
      expect(certified, alert).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining(decision.eventId) as string,
      });
    }
  });

  it('is followed by a test wherever it has a command', () => {
    expect(new Set(ALERTS.map(({ name }) => name).filter((name) => commandsOf(name).length > 0))).toEqual(followed);
    for (const [file, title] of Object.values(FOLLOWED_ELSEWHERE)) {
      expect(readFileSync(join(import.meta.dirname, file), 'utf8')).toContain(`it('${title}'`);
    }
  });
});
