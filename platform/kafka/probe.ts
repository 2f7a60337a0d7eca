import type { Admin } from 'kafkajs';
import type { Probe } from '../health/probe.ts';
import { createLog } from '../log.ts';
import { createKafka } from './client.ts';

/** Asks for the list of brokers, without the working clients' long retries. */
export function kafkaProbe(brokers: readonly string[]): Probe {
  const kafka = createKafka(brokers, 'tapeproof-probe', createLog('tapeproof-probe', 'silent'));
  let connected: Promise<Admin> | undefined;
  const discard = async (): Promise<void> => {
    const broken = connected;
    connected = undefined;
    const admin = await broken?.catch(() => undefined);
    await admin?.disconnect().catch(() => undefined);
  };
  return {
    dependency: 'kafka',
    async check() {
      try {
        connected ??= connect(kafka.admin({ retry: { retries: 0 } }));
        await (await connected).describeCluster();
      } catch (error) {
        void discard();
        throw error;
      }
    },
    close: discard,
  };
}

async function connect(admin: Admin): Promise<Admin> {
  await admin.connect();
  return admin;
}
