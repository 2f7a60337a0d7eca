import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { TapeproofError } from '../errors.ts';
import { batchBytesAt, contentOf } from '../kafka/record-batch.ts';

const MANIFEST_FILE = 'backup.json';
const SHA256 = z.string().regex(/^[0-9a-f]{64}$/);
const OFFSET = z.int().min(0);
const NAME = z.string().regex(/^[\w.-]{1,249}$/);

/** Consecutive batches of one topic-partition in a file that is never changed. */
const Segment = z.strictObject({
  /** Within the folder. */
  file: z.string().regex(/^\w[\w.-]*\/\d+\/\d{20}\.batches$/),
  /** Offsets `[from, to)`. */
  from: OFFSET,
  to: OFFSET,
  bytes: OFFSET,
  sha256: SHA256,
});
export type Segment = z.infer<typeof Segment>;

const BackedUpLog = z.strictObject({
  topic: NAME,
  partition: z.int().min(0),
  segments: z.array(Segment),
  /** See {@link contentHash}, of the last batch; null without any. */
  lastBatch: SHA256.nullable(),
});
export type BackedUpLog = z.infer<typeof BackedUpLog>;

/** Records of the log that the folder has: those before this offset. */
export function endOf({ segments }: Pick<BackedUpLog, 'segments'>): number {
  return segments.at(-1)?.to ?? 0;
}

const Manifest = z.strictObject({
  format: z.literal(1),
  /** Partitions of each topic. */
  topics: z.record(NAME, z.int().min(1)),
  logs: z.array(BackedUpLog),
});

/** What a folder has: topics whole, from their beginnings on. */
export type Manifest = z.infer<typeof Manifest>;

/**
 * @returns undefined where the folder has no backup yet.
 * @throws TapeproofError NOT_USABLE where its manifest is not one; USAGE where it cannot be read.
 */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const file = join(folder, MANIFEST_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cannotUse(file, error);
  }
  try {
    return Manifest.parse(JSON.parse(text));
  } catch {
    throw new TapeproofError(
      'NOT_USABLE',
      `${file} is not the list of a backup: it was changed, or is of another build.`,
    );
  }
}

/** Replaces it as a whole: files that it does not name yet are no part of the backup. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const file = join(folder, MANIFEST_FILE);
  try {
    await mkdir(folder, { recursive: true });
    const part = await open(`${file}.part`, 'w', 0o600);
    try {
      await part.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
      await part.sync();
    } finally {
      await part.close();
    }
    await rename(`${file}.part`, file);
  } catch (error) {
    throw cannotUse(file, error);
  }
}

/** Of what a batch keeps wherever it is appended. */
export function contentHash(batch: Buffer): string {
  const hash = createHash('sha256');
  for (const part of contentOf(batch)) hash.update(part);
  return hash.digest('hex');
}

/** Writes one segment. Only what {@link SegmentWriter.close} returns is on the disk. */
export class SegmentWriter {
  readonly #folder: string;
  readonly #file: string;
  readonly #from: number;
  readonly #handle: Awaited<ReturnType<typeof open>>;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  private constructor(folder: string, file: string, from: number, handle: Awaited<ReturnType<typeof open>>) {
    this.#folder = folder;
    this.#file = file;
    this.#from = from;
    this.#handle = handle;
  }

  /** @throws TapeproofError USAGE where it cannot be written. */
  static async begin(
    folder: string,
    { topic, partition }: Pick<BackedUpLog, 'topic' | 'partition'>,
    from: number,
  ): Promise<SegmentWriter> {
    const file = `${topic}/${partition}/${String(from).padStart(20, '0')}.batches`;
    const path = join(folder, file);
    try {
      await mkdir(dirname(path), { recursive: true });
      return new SegmentWriter(folder, file, from, await open(path, 'w', 0o600));
    } catch (error) {
      throw cannotUse(path, error);
    }
  }

  async add(batch: Buffer): Promise<void> {
    this.#hash.update(batch);
    this.#bytes += batch.length;
    try {
      await this.#handle.writeFile(batch);
    } catch (error) {
      throw cannotUse(join(this.#folder, this.#file), error);
    }
  }

  async close(to: number): Promise<Segment> {
    await this.#handle.sync();
    await this.#handle.close();
    return { file: this.#file, from: this.#from, to, bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

/**
 * The batches of a segment, in order.
 *
 * @throws TapeproofError NOT_USABLE where the file is missing, or not the one that was written: after the last batch.
 */
export async function* batchesOf(folder: string, { file, sha256 }: Segment): AsyncGenerator<Buffer> {
  const path = join(folder, file);
  const hash = createHash('sha256');
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (let size = batchBytesAt(rest, at); size !== undefined && at + size <= rest.length;) {
        if (size <= 0) throw damaged(path);
        yield rest.subarray(at, at + size);
        at += size;
        size = batchBytesAt(rest, at);
      }
      rest = rest.subarray(at);
    }
  } catch (error) {
    throw error instanceof TapeproofError ? error : damaged(path, error);
  }
  if (hash.digest('hex') !== sha256) throw damaged(path);
}

function damaged(path: string, cause?: unknown): TapeproofError {
  return new TapeproofError(
    'NOT_USABLE',
    `${path} is missing or not as it was written: take this backup from another copy of it.`,
    { cause },
  );
}

function cannotUse(path: string, error: unknown): TapeproofError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TapeproofError('USAGE', `${path} cannot be used: ${reason}. Name a folder that you may write to.`, {
    cause: error,
  });
}
