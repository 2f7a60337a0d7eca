import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { TapeproofError } from '../../platform/errors.ts';
import type { Certificate } from '../../proofs/certify/chain.ts';
import type { Difference } from '../../proofs/certify/difference.ts';
import { parseEnvelope, payloadOf, seal, type SigningKey } from '../../proofs/certify/envelope.ts';
import { leftBy, misfit, otherRangesOf, type OtherRange, type OtherRun } from '../../proofs/certify/other-versions.ts';
import type { PartitionResult } from '../../proofs/certify/partition.ts';
import { digestOf, parseStatement } from '../../proofs/certify/statement.ts';
import { withLocalStack, withoutServices } from '../local-stack.ts';
import { commitOf, lastLineOf, otherBuildOf, shortened, type OtherBuild } from './other-build.ts';

/** Ranges that are given to other builds in one run: a build may leave some of its range to a third. */
const RUNS_MAX = 256;
const PROJECT = join(import.meta.dirname, '..', '..');
/** A build asks for all services before it begins; certify uses Kafka and the registry alone. */
const UNUSED_SERVICES = {
  TAPEPROOF_POSTGRES_URL: 'postgres://127.0.0.1:1/unused',
  TAPEPROOF_REDIS_URL: 'redis://127.0.0.1:1',
};

/** What other builds derived of a certification's ranges. */
export interface OtherVersions {
  readonly runs: readonly OtherRun[];
  readonly certificates: readonly Certificate[];
}

export interface OtherVersionsOptions {
  /** The file of this build's certificate: those of others are written beside it. Undefined: they are not kept. */
  readonly out: string | undefined;
  readonly key: SigningKey | undefined;
  readonly signal: AbortSignal;
  readonly announce: (sentence: string) => void;
  /** The git checkout whose commits are built: that of this build. */
  readonly project?: string;
}

/**
 * Has the builds of other commits certify the ranges that this one cannot derive, each in a git worktree of its own. It
 * runs their code, with the addresses and credentials of Kafka and the registry, and nothing else of this environment's
 * services; never with the signing key.
 */
export async function certifyOtherVersions(
  results: readonly PartitionResult[],
  options: OtherVersionsOptions,
): Promise<OtherVersions> {
  const pending = results.flatMap((result) => otherRangesOf(result));
  const tapeId = results.flatMap(({ ranges }) => ranges).find((range) => range.tapeId !== undefined)?.tapeId;
  const runs: OtherRun[] = [];
  const certificates: Certificate[] = [];
  const builds = new Builds(options);
  try {
    for (let range = pending.shift(); range !== undefined; range = pending.shift()) {
      if (options.signal.aborted || runs.length >= RUNS_MAX) break;
      const { run, certificate } = await certifyRange(builds, range, tapeId, options);
      runs.push(run);
      if (certificate === undefined) continue;
      certificates.push(certificate);
      pending.push(...leftBy(certificate, range));
    }
  } finally {
    await builds.remove();
  }
  return { runs, certificates };
}

/** The builds in use, by commit; one that cannot be had is not tried again. */
class Builds {
  readonly #options: OtherVersionsOptions;
  readonly #builds = new Map<string, Promise<OtherBuild>>();

  constructor(options: OtherVersionsOptions) {
    this.#options = options;
  }

  /** @throws TapeproofError */
  async of(gitCommit: string): Promise<OtherBuild> {
    const commit = commitOf(gitCommit);
    const known = this.#builds.get(commit);
    if (known !== undefined) return await known;
    const made = this.#make(commit);
    this.#builds.set(commit, made);
    return await made;
  }

  async remove(): Promise<void> {
    for (const build of await Promise.allSettled(this.#builds.values())) {
      if (build.status === 'fulfilled') await build.value.remove();
    }
  }

  async #make(commit: string): Promise<OtherBuild> {
    const { signal, announce, project = PROJECT } = this.#options;
    announce(
      `Commit ${shortened(commit)} derived a part of this log: its build is run on that part now. It is given the addresses and credentials of Kafka and of the schema registry.`,
    );
    const folder = join(project, '.tapeproof', 'builds');
    const options = { project, folder, environment: environmentOfOthers(), signal, announce };
    const build = await otherBuildOf(commit, options);
    const help = await build.run(['certify', '--help'], signal);
    if (/^Usage: tapeproof certify\b/m.test(help.stdout)) return build;
    await build.remove();
    throw new TapeproofError(
      'NOT_FOUND',
      `PARTLY CHECKED: the build of commit ${shortened(commit)} has no "certify"; in a worktree of that commit, single events are derived again by "npx tapeproof audit ID --verify".`,
    );
  }
}

/** This process's environment, but of the services only Kafka and the registry. */
export function environmentOfOthers(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const services = Object.entries(withLocalStack(environment)).filter(([name]) =>
    /^TAPEPROOF_(KAFKA|REGISTRY)_/.test(name),
  );
  // Each build keeps its compiled form in its own folder.
  const own = { NODE_COMPILE_CACHE: undefined };
  return { ...withoutServices(environment), ...Object.fromEntries(services), ...UNUSED_SERVICES, ...own };
}

interface RangeOutcome {
  readonly run: OtherRun;
  readonly certificate?: Certificate;
}

async function certifyRange(
  builds: Builds,
  range: OtherRange,
  tapeId: string | undefined,
  options: OtherVersionsOptions,
): Promise<RangeOutcome> {
  const { partition, from, to, gitCommit } = range;
  const place = { partition, from, to, gitCommit };
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-certificate-'));
  try {
    const build = await builds.of(gitCommit);
    options.announce(`Commit ${shortened(gitCommit)} derives partition ${partition}, tape offsets ${from} to ${to}.`);
    const file = join(folder, 'certificate.json');
    const { exitCode, stdout, stderr } = await build.run(wordsFor(range, file), options.signal);
    const difference = differenceIn(stdout);
    if (difference !== undefined) return { run: { ...place, outcome: 'DIFFERENT', difference } };
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (exitCode !== 0 || text === undefined) {
      const why = lastLineOf(stderr === '' ? stdout : stderr);
      return {
        run: { ...place, outcome: 'NOT DERIVED', reason: `its build ended with exit code ${exitCode}: ${why}` },
      };
    }
    const name = `the certificate of commit ${shortened(gitCommit)}`;
    const payload = payloadOf(parseEnvelope(text, name));
    const certificate = { name, statement: parseStatement(payload, name), digest: digestOf(payload) };
    const wrong = misfit(certificate, range, tapeId);
    if (wrong !== undefined) {
      return { run: { ...place, outcome: 'NOT DERIVED', reason: `its certificate is not used: ${wrong}` } };
    }
    const out = await kept(payload, range, options);
    const statement = certificate.digest;
    return { run: { ...place, outcome: 'DERIVED', statement, ...(out !== undefined && { out }) }, certificate };
  } catch (error) {
    if (!(error instanceof TapeproofError)) throw error;
    return { run: { ...place, outcome: 'NOT DERIVED', reason: error.message } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function wordsFor({ partition, from, to, isFromAnchor, isToAnchor }: OtherRange, file: string): string[] {
  return [
    ...['certify', '--json', '--allow-not-derived', '--out', file, '--partition', String(partition)],
    ...(isFromAnchor ? ['--from', String(from)] : []),
    // The anchor at the end is derived by the record there, at which that version halts.
    ...['--to', String(isToAnchor ? to + 1 : to)],
  ];
}

const place = z.number().optional();
const difference = z.object({
  ...{ kind: z.string(), topic: z.string(), partition: z.number(), detail: z.string() },
  ...{ logOffset: place, sequence: place, tapeOffset: place, eventId: z.string().optional() },
  fields: z.array(z.object({ field: z.string(), expected: z.string().optional(), found: z.string().optional() })),
});
const report = z.object({ results: z.array(z.object({ difference: difference.optional() })) });

/** The first difference in another build's report: printed as it is, by this build's form. */
function differenceIn(stdout: string): Difference | undefined {
  try {
    const { results } = report.parse(JSON.parse(stdout));
    // Another build may know other kinds: they are only printed.
    return results.find((result) => result.difference !== undefined)?.difference as Difference | undefined;
  } catch {
    return undefined;
  }
}

/** Writes another build's certificate beside this one's, signed by this operator. */
async function kept(
  payload: Buffer,
  { partition, from, gitCommit }: OtherRange,
  { out, key }: OtherVersionsOptions,
): Promise<string | undefined> {
  if (out === undefined) return undefined;
  const extension = extname(out);
  const name = `${basename(out, extension)}.${shortened(gitCommit)}-${partition}-${from}${extension}`;
  const path = join(dirname(out), name);
  await writeFile(path, `${JSON.stringify(seal(payload, key), undefined, 2)}\n`);
  return path;
}
