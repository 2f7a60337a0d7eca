import Table from 'cli-table3';
import { runCheckpoints } from '../../proofs/checkpoints/service.adapter.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createLog } from '../../platform/log.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { keepSecret } from '../../platform/security/redaction.ts';
import { secretSetting, settings } from '../../platform/security/settings.ts';
import { listHeads, type LogHead } from '../../proofs/checkpoints/heads.adapter.ts';
import type { LogStatus } from '../../proofs/checkpoints/publisher.adapter.ts';
import { checkpointNow, type CheckpointRun } from '../../proofs/checkpoints/service.adapter.ts';
import { verifyLogs, type LogVerdict } from '../../proofs/checkpoints/verification.adapter.ts';
import { authorityAt } from '../../proofs/timestamps/authority.adapter.ts';
import { readBounded, readSignerKey } from '../../proofs/tlog/key-file.adapter.ts';
import { parseSignerKey, parseVerifierKey, type SignerKey } from '../../proofs/tlog/note-key.ts';
import type { WitnessAddress } from '../../proofs/tlog/witness-client.adapter.ts';
import type { HttpOptions, JsonOption } from '../commands/options.ts';
import { connections, print } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { interruption } from '../interruption.ts';
import { progressBar } from '../progress.ts';
import { withEvents } from '../with-events.ts';
import { withTelemetry } from '../with-telemetry.ts';
import { rootsFrom } from './checkpoint-timestamp.ts';

export interface CheckpointOptions extends JsonOption {
  readonly key: readonly string[];
  readonly formerKey: readonly string[];
  readonly witness: readonly string[];
  readonly witnesses?: string;
  readonly tsa?: string;
  readonly tsaCa?: string;
}

export type CheckpointListOptions = JsonOption;

export interface CheckpointVerifyOptions extends JsonOption {
  readonly logKey: readonly string[];
  readonly tsaCa?: string;
}

const WITNESSES_BYTES_MAX = 1_048_576;
const MS_PER_S = 1_000;
const US_PER_MS = 1_000;
const EMPTY_STYLE = { head: [], border: [] };

export async function runCheckpointProcess(
  options: CheckpointOptions & HttpOptions & { readonly every: number; readonly tsaEvery: number },
): Promise<void> {
  const signal = interruption();
  const log = createLog('checkpoints');
  const { kafkaBrokers, registryUrl } = connections();
  const signers = await signersFrom(options, options.tsaEvery * MS_PER_S);
  const dependencies = { kafkaBrokers, registryUrl };
  const commit = await gitCommit();
  await withTelemetry({ service: 'checkpoints', dependencies, commit, log, options, signal }, (telemetry) =>
    runCheckpoints({ ...signers, connections: dependencies, log, signal, telemetry }, options.every * MS_PER_S),
  );
}

export async function signNow(options: CheckpointOptions): Promise<void> {
  const signal = interruption();
  const where = connections();
  const signers = await signersFrom(options);
  const statuses = await checkpointNow({
    ...signers,
    connections: where,
    log: createLog('checkpoints', 'error'),
    signal,
  });
  print(options.json, statuses.map(statusJson), () => statusTable(statuses));
  const isRefused = statuses.some(({ failures }) => failures.some(({ isRefusal }) => isRefusal));
  const isDisbelieved = statuses.some(({ timestampFailure }) => timestampFailure?.isRefusal);
  if (isRefused || isDisbelieved || statuses.some(({ difference }) => difference !== undefined)) process.exitCode = 1;
}

export async function listCheckpoints({ json }: CheckpointListOptions): Promise<void> {
  await withEvents('checkpoints', async ({ reader, registry, partitions }) => {
    const heads = await listHeads({ reader, registry }, partitions);
    print(json, heads.map(headJson), () =>
      heads.length === 0
        ? 'No head of a log is recorded yet: run "npx tapeproof checkpoints now --key FILE".'
        : headTable(heads),
    );
  });
}

export async function verifyCheckpoints({ logKey, tsaCa, json }: CheckpointVerifyOptions): Promise<void> {
  const trusted = { keys: logKey.map((text) => parseVerifierKey(text)), roots: await rootsFrom(tsaCa) };
  await withEvents('checkpoints', async ({ reader, registry, partitions }) => {
    const access = { reader, registry, decode: createTapeDecoder(registry) };
    const bar = progressBar('checkpoints verify');
    let verdicts: readonly LogVerdict[];
    try {
      verdicts = await verifyLogs(access, partitions, trusted, (done, total) => {
        bar.update({ done, total, count: done, unit: 'records' });
      });
    } finally {
      bar.stop();
    }
    print(
      json,
      verdicts.map(({ fault, stampedAt, stampedSize, ...verdict }) => ({
        ...verdict,
        ...{ stampedAt: stampedAt ?? null, stampedSize: stampedSize ?? null, fault: fault ?? null },
      })),
      () => verdictTable(verdicts),
    );
    if (verdicts.length === 0 || verdicts.some(({ fault }) => fault !== undefined)) process.exitCode = 1;
  });
}

async function signersFrom(
  options: CheckpointOptions,
  stampEveryMs = 0,
): Promise<Pick<CheckpointRun, 'keys' | 'formerKeys' | 'witnesses' | 'timestamps'>> {
  const [first, ...rest] = await keysFrom(options.key);
  if (first === undefined) {
    throw new TapeproofError(
      'CONFIGURATION',
      'There is no key to sign with: make one with "npx tapeproof keygen --name NAME" and name its file with --key, or set TAPEPROOF_CHECKPOINT_KEY_FILE.',
    );
  }
  const keys = [first, ...rest] as const;
  const wrong = keys.find(({ type }) => type !== 'log');
  if (wrong !== undefined) {
    throw new TapeproofError('NOT_USABLE', `The key ${wrong.name} is a witness's: make one without --witness.`);
  }
  const other = rest.find(({ name }) => name !== first.name);
  if (other !== undefined) {
    throw new TapeproofError(
      'NOT_USABLE',
      `The keys ${first.name} and ${other.name} name different logs: a key that replaces another has its name.`,
    );
  }
  const listed =
    options.witnesses === undefined
      ? ''
      : await readBounded(options.witnesses, WITNESSES_BYTES_MAX, 'list of witnesses');
  const lines = [...options.witness, ...listed.split('\n')].map((line) => line.trim());
  return {
    keys: [first, ...rest],
    formerKeys: options.formerKey.map((text) => parseVerifierKey(text)),
    witnesses: lines.filter((line) => line !== '' && !line.startsWith('#')).map(witnessFrom),
    timestamps: await timestampsFrom(options, stampEveryMs),
  };
}

async function timestampsFrom(
  { tsa, tsaCa }: CheckpointOptions,
  everyMs: number,
): Promise<CheckpointRun['timestamps']> {
  if (tsa !== undefined) return { authority: authorityAt(tsa, await rootsFrom(tsaCa)), everyMs };
  if (tsaCa === undefined) return undefined;
  throw new TapeproofError('USAGE', 'There are authorities (--tsa-ca) and nobody to ask: give --tsa URL.');
}

async function keysFrom(files: readonly string[]): Promise<readonly SignerKey[]> {
  if (files.length > 0) return await Promise.all(files.map(readSignerKey));
  const secret = secretSetting(settings(), 'TAPEPROOF_CHECKPOINT_KEY');
  if (secret === undefined) return [];
  keepSecret(secret);
  return [parseSignerKey(secret.trim())];
}

function witnessFrom(line: string): WitnessAddress {
  const [text = '', url = '', ...more] = line.split(/\s+/);
  if (url === '' || more.length > 0) {
    throw new TapeproofError(
      'NOT_USABLE',
      `${JSON.stringify(text)} does not name a witness: write its verifier key, a space and its address.`,
    );
  }
  const key = parseVerifierKey(text);
  if (key.type !== 'witness') {
    throw new TapeproofError('NOT_USABLE', `The key ${key.name} is a log's, not a witness's.`);
  }
  return { key, url };
}

function statusJson({ difference, head: _, timestamp, timestampFailure, ...status }: LogStatus) {
  const stamp = timestamp && { time: timestamp.timeUs, isTrusted: timestamp.isTrusted };
  return {
    ...status,
    difference: difference ?? null,
    timestamp: stamp ?? null,
    timestampFailure: timestampFailure ?? null,
  };
}

function headJson({ stamped, ...head }: LogHead) {
  if (stamped === undefined) return { ...head, stamped: null };
  const timestamps = stamped.timestamps.map(({ token, ...rest }) => ({ ...rest, token: token.toString('base64') }));
  return { ...head, stamped: { ...stamped, timestamps } };
}

function statusTable(statuses: readonly LogStatus[]): string {
  const head = ['log', 'size', 'signed', 'cosigned by', 'time stamp', 'remarks'];
  const table = new Table({ head, style: EMPTY_STYLE });
  for (const status of statuses) {
    const { topic, partition, size, signed, cosignatures, failures, difference, timestamp, timestampFailure } = status;
    table.push([
      `${topic}-${partition}`,
      size.toLocaleString('en'),
      signed ? 'now' : difference === undefined ? 'before' : 'no',
      cosignatures.map(({ witness, timeS }) => `${witness} ${timeText(timeS * MS_PER_S)}`).join('\n'),
      timestamp === undefined ? '' : stampText(timestamp.timeUs, timestamp.isTrusted),
      [difference ?? [], failures.map(({ reason }) => reason), timestampFailure?.reason ?? []].flat().join('\n'),
    ]);
  }
  return table.toString();
}

function headTable(heads: readonly LogHead[]): string {
  const head = ['log', 'size', 'root', 'signed at', 'cosigned by', 'time stamp'];
  const table = new Table({ head, style: EMPTY_STYLE });
  for (const { origin, size, root, signedAt, cosignatures, stamped } of heads) {
    const stamps = stamped?.timestamps.map(
      ({ authority, time, isTrusted }) =>
        `${stamped.size.toLocaleString('en')} leaves, ${authority} ${stampText(time, isTrusted)}`,
    );
    table.push([
      origin,
      size.toLocaleString('en'),
      root.slice(0, 12),
      timeText(signedAt / US_PER_MS),
      cosignatures.map(({ witness, time }) => `${witness} ${timeText(time / US_PER_MS)}`).join('\n') || 'nobody',
      stamps?.join('\n') ?? '',
    ]);
  }
  return table.toString();
}

function stampText(timeUs: number, isTrusted: boolean): string {
  return `${timeText(timeUs / US_PER_MS)}${isTrusted ? '' : ', not verified against an authority'}`;
}

function verdictTable(verdicts: readonly LogVerdict[]): string {
  if (verdicts.length === 0) return 'No head of a log is recorded that these keys signed: nothing could be verified.';
  const head = ['log', 'heads', 'signed', 'in the log', 'time stamps', 'verdict'];
  const table = new Table({ head, style: EMPTY_STYLE });
  for (const { origin, heads, signedSize, size, timestamps, stampedAt, stampedSize, fault } of verdicts) {
    table.push([
      origin,
      heads.toLocaleString('en'),
      signedSize.toLocaleString('en'),
      size.toLocaleString('en'),
      stampedAt === undefined || stampedSize === undefined
        ? ''
        : `${timestamps}, the last of ${stampedSize.toLocaleString('en')} leaves ${timeText(stampedAt / US_PER_MS)}`,
      fault ?? 'is what was signed',
    ]);
  }
  return table.toString();
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
