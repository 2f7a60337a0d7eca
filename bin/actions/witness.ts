import { once } from 'node:events';
import { TapeproofError } from '../../platform/errors.ts';
import { createLog } from '../../platform/log.ts';
import { readBounded, readSignerKey } from '../../proofs/tlog/key-file.adapter.ts';
import { startWitness } from '../../proofs/tlog/witness-server.adapter.ts';
import { WitnessStore } from '../../proofs/tlog/witness-store.adapter.ts';
import { parseLogKeys } from '../../proofs/tlog/witness.ts';
import { takeFolder } from '../../stack/lock.ts';
import { interruption } from '../interruption.ts';

export interface WitnessCommandOptions {
  readonly key: string;
  readonly logs: string;
  readonly state: string;
  readonly port: number;
  readonly host: string;
}

const LOGS_BYTES_MAX = 1_048_576;

export async function runWitness({ key: keyFile, logs, state, port, host }: WitnessCommandOptions): Promise<void> {
  const signal = interruption();
  const key = await readSignerKey(keyFile);
  if (key.type !== 'witness') {
    throw new TapeproofError(
      'NOT_USABLE',
      `The key ${key.name} is a log's: make one for the witness with "tapeproof keygen --witness --name NAME".`,
    );
  }
  const logKeys = parseLogKeys(await readBounded(logs, LOGS_BYTES_MAX, 'list of logs'));
  if (logKeys.length === 0) {
    throw new TapeproofError('CONFIGURATION', `${logs} names no log: put the verifier key of each in a line of it.`);
  }
  const giveBack = takeFolder(state);
  if (giveBack === undefined) {
    throw new TapeproofError(
      'CONFLICT',
      `Another witness uses ${state}: two would cosign two histories. End that one.`,
    );
  }
  try {
    const log = createLog('witness');
    const store = await WitnessStore.open(state, key);
    const nowS = (): number => Math.floor(Date.now() / 1_000);
    const server = await startWitness({ key, logKeys, store, host, port, log, nowS });
    const address = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
    log.event('witness-listening', `${key.name} takes checkpoints at ${address}`, { 'url.full': address });
    if (!signal.aborted) await once(signal, 'abort');
    await server.close();
    log.event('witness-stopped', `${key.name} stopped by ${String(signal.reason)}`);
  } finally {
    giveBack();
  }
}
