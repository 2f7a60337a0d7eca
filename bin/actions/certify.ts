import { availableParallelism } from 'node:os';
import { createPublicKey } from 'node:crypto';
import { FINGERPRINTS } from '../../contracts/codec.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { ENGINE_VERSION } from '../../evaluators/configuration.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { seal, type SigningKey } from '../../proofs/certify/envelope.ts';
import { certifyText, type CertifyReport } from '../../proofs/certify/certify-text.ts';
import { stillNotDerived, withDerivedStarts } from '../../proofs/certify/other-versions.ts';
import type { EarlierEnd, PartitionResult } from '../../proofs/certify/partition.ts';
import { repairOf } from '../../proofs/certify/repair.ts';
import { bytesOf, digestOf, statementOf, type Build } from '../../proofs/certify/statement.ts';
import { readCertificate, readSigningKey, type CertificateFile } from '../certify/certificate-files.ts';
import type { PartitionOrder } from '../certify/messages.ts';
import { certifyOtherVersions, type OtherVersions } from '../certify/other-versions.ts';
import { certifyInParallel } from '../certify/workers.ts';
import { print } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { interruption } from '../interruption.ts';
import { progressBar } from '../progress.ts';
import { withEvents, type Events } from '../with-events.ts';
import { assertWritable } from '../writable.ts';
import { writeLines } from './derive.ts';

export interface CertifyOptions {
  readonly partition?: readonly number[];
  readonly from?: number;
  readonly to?: number | 'anchor';
  readonly after?: string;
  readonly key?: string;
  readonly out?: string;
  readonly otherVersions: 'list' | 'run';
  readonly allowNotDerived?: true;
  readonly repair?: true;
  readonly json?: true;
}

const INTERRUPTED = 130;

export async function runCertify(options: CertifyOptions): Promise<void> {
  const { key: keyPath, out, json, allowNotDerived, otherVersions } = options;
  const key = keyPath === undefined ? undefined : await readSigningKey(keyPath);
  const after = options.after === undefined ? undefined : await readEarlier(options.after, key);
  if (out !== undefined && out !== '-') await assertWritable(out, '--out');
  if (out === '-' && otherVersions === 'run') {
    throw new TapeproofError('USAGE', 'Each build writes a certificate of its own: name a file with --out, not -.');
  }
  const signal = interruption();
  const startedMs = performance.now();
  const own = await certifyAll(options, after, signal);
  const others = await runOthers(own, options, key, signal);
  const results = withDerivedStarts(own, others.certificates);
  const notDerived = stillNotDerived(results, others.certificates);
  const durationMs = Math.round(performance.now() - startedMs);
  const verdict = verdictOf(results, others, notDerived.length > 0, signal.aborted);
  const isCertified = verdict === 'DERIVED' || verdict === 'PARTLY DERIVED';
  const payload =
    isCertified && hasDerived(results) ? bytesOf(statementOf(results, await thisBuild(), durationMs)) : undefined;
  if (payload !== undefined && out !== undefined) {
    await writeLines(linesOf(JSON.stringify(seal(payload, key), undefined, 2)), out);
  }
  const statement = payload === undefined ? undefined : digestOf(payload);
  const repair = options.repair === true ? repairOf(results, others.runs) : undefined;
  const report: CertifyReport = {
    ...{ verdict, results, otherVersions: others.runs, notDerived, statement, out, isSigned: key !== undefined },
    ...{ durationMs, repair },
  };
  if (out !== '-' || payload === undefined) print(json, report, () => certifyText(report));
  if (verdict === 'INTERRUPTED') process.exitCode = INTERRUPTED;
  else if (!isCertified || (verdict === 'PARTLY DERIVED' && allowNotDerived !== true)) process.exitCode = 1;
}

/** Has other builds derive what this one cannot, where that is asked for. */
async function runOthers(
  results: readonly PartitionResult[],
  { otherVersions, out }: CertifyOptions,
  key: SigningKey | undefined,
  signal: AbortSignal,
): Promise<OtherVersions> {
  if (otherVersions !== 'run' || signal.aborted) return { runs: [], certificates: [] };
  const announce = (sentence: string): void => {
    process.stderr.write(`tapeproof: ${sentence}\n`);
  };
  return await certifyOtherVersions(results, { out, key, signal, announce });
}

/** Runs the partitions side by side, with a bar. */
async function certifyAll(
  options: CertifyOptions,
  after: CertificateFile | undefined,
  signal: AbortSignal,
): Promise<readonly PartitionResult[]> {
  let results: readonly PartitionResult[] = [];
  await withEvents('certify', async (events) => {
    const orders = ordersOf(options, after, events.partitions);
    const total = await recordsIn(events, orders);
    const bar = progressBar(`certify, ${Math.min(orders.length, availableParallelism())} threads`);
    let done = 0;
    try {
      results = await certifyInParallel(orders, signal, (count) => {
        done += count;
        bar.update({ done: Math.min(done, total), total, unit: 'records', count: done });
      });
    } finally {
      bar.stop();
    }
  });
  return results;
}

/** @throws TapeproofError NOT_FOUND where there is no such partition. */
function ordersOf(
  { partition: wanted, from, to }: CertifyOptions,
  after: CertificateFile | undefined,
  partitions: number,
): PartitionOrder[] {
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const missing = wanted?.find((partition) => partition >= partitions);
  if (missing !== undefined) {
    throw new TapeproofError(
      'NOT_FOUND',
      `There is no partition ${missing} of ${TAPE_TOPIC}: its ${partitions} partitions count from 0.`,
    );
  }
  const chosen = wanted === undefined ? all : all.filter((partition) => wanted.includes(partition));
  return chosen.map((partition) => {
    const end = after === undefined ? undefined : earlierEnd(after, partition);
    return { partition, from: from ?? end?.offset, to, after: end };
  });
}

/** Where an earlier certificate ends in a partition. @throws TapeproofError USAGE where nothing can go on there. */
function earlierEnd({ name, statement, digest }: CertificateFile, partition: number): EarlierEnd {
  const { ranges, tapeId } = statement.predicate;
  const last = ranges.findLast((range) => range.partition === partition);
  if (last === undefined) {
    throw new TapeproofError(
      'USAGE',
      `${name} has no range of partition ${partition}: choose those that it has with --partition.`,
    );
  }
  const { stateHash, anchorHash } = last.end;
  if (stateHash === null || anchorHash === null) {
    throw new TapeproofError(
      'USAGE',
      `${name} does not end at an anchor in partition ${partition}, so nothing can go on from it: make it with --to anchor.`,
    );
  }
  return { offset: last.tape.to, stateHash, anchorHash, tapeId, statement: digest };
}

/** The earlier certificate; whoever signs this one must have signed that one. */
async function readEarlier(path: string, key: SigningKey | undefined): Promise<CertificateFile> {
  return await readCertificate(path, key === undefined ? undefined : createPublicKey(key.privateKey));
}

/** Records of the tape that will be read, for the bar. */
async function recordsIn({ reader }: Events, orders: readonly PartitionOrder[]): Promise<number> {
  let total = 0;
  for (const { partition, from, to } of orders) {
    const first = from ?? (await reader.startOffset(TAPE_TOPIC, partition));
    const end = typeof to === 'number' ? to : await reader.endOffset(TAPE_TOPIC, partition);
    total += Math.max(0, end - first);
  }
  return total;
}

function verdictOf(
  results: readonly PartitionResult[],
  { runs }: OtherVersions,
  isPartial: boolean,
  isInterrupted: boolean,
): CertifyReport['verdict'] {
  if ([...results, ...runs].some(({ difference }) => difference !== undefined)) return 'DIFFERENT';
  if (isInterrupted) return 'INTERRUPTED';
  if (!hasDerived(results) && !runs.some(({ outcome }) => outcome === 'DERIVED')) return 'NOT DERIVED';
  return isPartial ? 'PARTLY DERIVED' : 'DERIVED';
}

/** True where this build derived something. */
function hasDerived(results: readonly PartitionResult[]): boolean {
  return results.some(({ ranges }) => ranges.some(({ tapeId }) => tapeId !== undefined));
}

async function thisBuild(): Promise<Build> {
  const { node, v8 } = process.versions;
  return { gitCommit: await gitCommit(), engineVersion: ENGINE_VERSION, node, v8, schemas: { ...FINGERPRINTS } };
}

// eslint-disable-next-line @typescript-eslint/require-await -- writeLines takes lines as they come
async function* linesOf(text: string): AsyncGenerator<string> {
  yield `${text}\n`;
}
