import { join } from 'node:path';
import { TapeproofError } from '../../platform/errors.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { LOG_TOPICS, treesBeginOf } from '../../proofs/checkpoints/log-following.adapter.ts';
import { publicationsText, verificationText, type TriedLog } from '../../proofs/checkpoints/publish-text.ts';
import { publishLog } from '../../proofs/checkpoints/publish.adapter.ts';
import { verifyFolders } from '../../proofs/checkpoints/folder-check.adapter.ts';
import { takeFolder } from '../../stack/lock.ts';
import { print } from '../context.ts';
import { readVerifierKeys } from '../verifier-keys.ts';
import { withEvents, type Events } from '../with-events.ts';

export interface PublishOptions {
  readonly dir?: string;
  readonly verify?: string;
  readonly logKey: readonly string[];
  readonly json?: true;
}

export async function runPublish({ dir, verify, logKey, json }: PublishOptions): Promise<void> {
  const logKeys = await readVerifierKeys(logKey, 'log', '--log-key');
  if (verify !== undefined && dir === undefined) {
    const logs = await verifyFolders(verify, logKeys);
    const isVerified = logKeys.length > 0;
    print(json, { folder: verify, isVerified, logs }, () => verificationText(logs, isVerified));
    if (logs.some(({ fault }) => fault !== null)) process.exitCode = 1;
    return;
  }
  if (dir === undefined || verify !== undefined) {
    throw new TapeproofError('USAGE', 'Give --dir FOLDER to publish, or --verify FOLDER to check what was published.');
  }
  const giveBack = takeFolder(join(dir, '.tapeproof'));
  if (giveBack === undefined) {
    throw new TapeproofError('CONFLICT', `Another "tapeproof publish" writes to ${dir}: wait for it.`);
  }
  try {
    await withEvents('publish', async (events) => {
      const logs = await publishAll(events, dir, { logKeys, witnessKeys: [] });
      if (logs.length === 0) {
        throw new TapeproofError('NOT_FOUND', `Nothing is activated on the tape: there is no log to publish.`);
      }
      print(json, { folder: dir, logs }, () => publicationsText(logs, dir));
      if (logs.some(({ fault }) => fault !== null)) process.exitCode = 1;
    });
  } finally {
    giveBack();
  }
}

/** Publishes one log after the other; one that differs does not hold the others up. */
async function publishAll(
  { reader, registry, partitions }: Events,
  dir: string,
  keys: Parameters<typeof publishLog>[2],
): Promise<readonly TriedLog[]> {
  const access = { reader, registry, decode: createTapeDecoder(registry) };
  const logs: TriedLog[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const begin = await treesBeginOf(access, partition);
    if (begin === undefined) continue;
    for (const topic of LOG_TOPICS) {
      const place = { topic, partition, tapeId: begin.tapeId, folder: join(dir, topic, String(partition)) };
      try {
        const published = await publishLog(access, place, keys);
        logs.push({ topic, partition, published: published ?? null, fault: null });
      } catch (error) {
        if (!(error instanceof TapeproofError) || error.exitCode !== 1) throw error;
        logs.push({ topic, partition, published: null, fault: error.message });
      }
    }
  }
  return logs;
}
