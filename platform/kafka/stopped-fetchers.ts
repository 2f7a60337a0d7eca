import { createRequire } from 'node:module';

/** What reads for a member of a group in kafkajs 2.2.4. */
interface Runner {
  readonly running: boolean;
  fetch: (this: Runner, nodeId: number) => Promise<unknown>;
}

const { prototype } = createRequire(import.meta.url)('kafkajs/src/consumer/runner') as { readonly prototype: Runner };
const fetchOfKafkajs = prototype.fetch;

/**
 * From here on a consumer of this process ends also where it is stopped while the brokers change. kafkajs makes new
 * fetchers for the brokers that are left, stopped or not, and answers a stopped one at once, with nothing: they turn for
 * ever, and leave no time to a deadline or a signal. Here such a fetch fails, by which kafkajs ends them and leaves the group.
 */
export function endStoppedFetchers(): void {
  prototype.fetch = function (nodeId) {
    return this.running ? fetchOfKafkajs.call(this, nodeId) : Promise.reject(new Error('the consumer is stopped'));
  };
}
