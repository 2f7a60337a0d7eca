import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { endStoppedFetchers } from './stopped-fetchers.ts';

interface Runner {
  start(): Promise<void>;
  stop(): Promise<void>;
}
const Runner = createRequire(import.meta.url)('kafkajs/src/consumer/runner') as new (options: object) => Runner;

/** Far more than the fetches of this test: fetchers that never end would leave no time for a deadline. */
const LOOKS_MAX = 1_000;
const silent = (): void => undefined;
const logger = { namespace: () => logger, debug: silent, info: silent, warn: silent, error: silent };

/** A group on brokers that the test changes, and answers for. */
class Group {
  brokers = [1, 2];
  looks = 0;
  hasLeft = false;
  readonly #fetches = new Map<number, (batches: readonly never[]) => void>();
  readonly #asked = new EventEmitter();

  connect = () => Promise.resolve();
  joinAndSync = () => Promise.resolve();
  heartbeat = () => Promise.resolve();
  leave = () => {
    this.hasLeft = true;
    return Promise.resolve();
  };
  getNodeIds = () => {
    this.looks += 1;
    if (this.looks > LOOKS_MAX) throw new Error('the fetchers never end');
    return this.brokers;
  };
  fetch = (broker: number) =>
    new Promise((resolve) => {
      this.#fetches.set(broker, resolve);
      this.#asked.emit('fetch');
    });

  async asked(broker: number): Promise<void> {
    while (!this.#fetches.has(broker)) await new Promise((resolve) => this.#asked.once('fetch', resolve));
  }
  answer(broker: number): void {
    this.#fetches.get(broker)?.([]);
    this.#fetches.delete(broker);
  }
}

it('a consumer that is stopped while a broker is lost leaves its group', async () => {
  endStoppedFetchers();
  const group = new Group();
  const runner = new Runner({
    ...{ logger, consumerGroup: group, concurrency: 1, retry: {} },
    ...{ instrumentationEmitter: { emit: silent }, onCrash: silent, eachBatch: silent },
  });
  await runner.start();
  await Promise.all([group.asked(1), group.asked(2)]);
  // The fetcher of a lost broker meets it first; kafkajs then waits for the fetch at the other one.
  group.brokers = [2];
  group.answer(1);
  await new Promise(setImmediate);
  const stopped = runner.stop();
  group.answer(2);
  await stopped;
  expect(group.hasLeft).toBe(true);
  expect(group.looks).toBeLessThan(LOOKS_MAX);
});
