import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { crc32, createGunzip, createZstdDecompress } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { TapeproofError } from '../platform/errors.ts';
import { ZstdFrames } from './zstd-frames.ts';

/** How a file's content is packed, detected from its first bytes, whatever its name. */
export type Container = 'plain' | 'gzip' | 'zstd' | 'zip' | 'parquet';

/** Called with the number of stored bytes read so far. */
export type StoredRead = (bytesDone: number) => void;

const READ_BYTES = 256 * 1024;
/** Names of a zip's entries that a message lists. */
const NAMES_LISTED_MAX = 5;
/** Entries of a zip that are inspected: one is expected. */
const ENTRIES_MAX = 10_000;
const ENCRYPTED_FLAG = 1;
/** The metadata that macOS adds for each file of a zip. */
const COMPANION = /^__MACOSX\/|(?:^|\/)\.DS_Store$/;

const MAGICS: readonly { readonly container: Container; readonly bytes: Buffer }[] = [
  { container: 'gzip', bytes: Buffer.from([0x1f, 0x8b]) },
  { container: 'zstd', bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) },
  // A zstd file may begin with an empty frame, of sixteen kinds; these are the ones that tools write.
  { container: 'zstd', bytes: Buffer.from([0x50, 0x2a, 0x4d, 0x18]) },
  { container: 'zstd', bytes: Buffer.from([0x5e, 0x2a, 0x4d, 0x18]) },
  { container: 'zip', bytes: Buffer.from('PK\x03\x04') },
  { container: 'zip', bytes: Buffer.from('PK\x05\x06') },
  { container: 'parquet', bytes: Buffer.from('PAR1') },
];
const MAGIC_BYTES = 4;

export async function containerOf(path: string): Promise<Container> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
    const begun = buffer.subarray(0, bytesRead);
    return MAGICS.find(({ bytes }) => begun.subarray(0, bytes.length).equals(bytes))?.container ?? 'plain';
  } finally {
    await handle.close();
  }
}

/** The bytes whose hash is a file's identity: unpacked where the file is packed; for Parquet the file's own. */
export function contentOf(path: string, container: Container, onStored: StoredRead): AsyncIterable<Buffer> {
  if (container === 'zip') return zipContent(path, onStored);
  const stored = createReadStream(path, { highWaterMark: READ_BYTES });
  let bytesDone = 0;
  stored.on('data', (chunk) => {
    bytesDone += chunk.length;
    onStored(bytesDone);
  });
  stored.pause();
  // `pipeline` passes an error of either stream to the one that is read; nothing needs adding here.
  if (container === 'gzip') return pipeline(stored, createGunzip({ chunkSize: READ_BYTES }), () => undefined);
  return container === 'zstd' ? zstdContent(stored) : stored;
}

/** A file's own name; in a zip, that of the file in it. */
export async function fileNameIn(path: string, container: Container): Promise<string> {
  if (container !== 'zip') return basename(path).replace(/\.(?:gz|zst)$/i, '');
  const zip = await ofZip(path, openPromise(path, { autoClose: false }));
  try {
    return (await onlyFileIn(zip, path)).fileName;
  } finally {
    zip.close();
  }
}

async function* zstdContent(stored: Readable): AsyncGenerator<Buffer> {
  const frames = new ZstdFrames(stored as AsyncIterable<Buffer>);
  try {
    while (await frames.hasNext()) {
      yield* pipeline(frames.next(), createZstdDecompress({ chunkSize: READ_BYTES }), () => undefined);
    }
  } finally {
    stored.destroy();
  }
}

async function* zipContent(path: string, onStored: StoredRead): AsyncGenerator<Buffer> {
  const zip = await ofZip(path, openPromise(path, { autoClose: false }));
  try {
    const entry = await onlyFileIn(zip, path);
    const stream = await ofZip(path, zip.openReadStreamPromise(entry));
    yield* checked(path, entry, stream, onStored);
  } finally {
    zip.close();
  }
}

async function* checked(path: string, entry: Entry, stream: Readable, onStored: StoredRead): AsyncGenerator<Buffer> {
  const chunks = stream.iterator() as AsyncIterator<Buffer, undefined>;
  let sum = 0;
  let bytesDone = 0;
  try {
    while (true) {
      const chunk = await ofZip(path, chunks.next());
      if (chunk.done === true) break;
      sum = crc32(chunk.value, sum);
      bytesDone += chunk.value.length;
      onStored(Math.floor((bytesDone / entry.uncompressedSize) * entry.compressedSize));
      yield chunk.value;
    }
  } finally {
    await chunks.return?.();
  }
  if (sum !== entry.crc32) throw damagedZip(path, 'its checksum does not match');
}

async function onlyFileIn(zip: ZipFile, path: string): Promise<Entry> {
  const files: Entry[] = [];
  const entries = zip.eachEntry();
  for (let count = 0; count < ENTRIES_MAX; count += 1) {
    const next = await ofZip(path, entries.next());
    if (next.done === true) break;
    const { fileName } = next.value;
    if (!fileName.endsWith('/') && !COMPANION.test(fileName)) files.push(next.value);
  }
  const [entry] = files;
  if (entry === undefined) throw new TapeproofError('USAGE', `The file ${path} is a zip without a file in it.`);
  if (files.length > 1) {
    const more = files.length > NAMES_LISTED_MAX ? ', …' : '';
    const names = files.slice(0, NAMES_LISTED_MAX).map(({ fileName }) => fileName);
    throw new TapeproofError(
      'USAGE',
      `The file ${path} is a zip of ${files.length} files (${names.join(', ')}${more}): unpack it and ingest them one by one.`,
    );
  }
  if ((entry.generalPurposeBitFlag & ENCRYPTED_FLAG) !== 0) {
    throw new TapeproofError('USAGE', `The file ${path} is an encrypted zip: unpack it first.`);
  }
  return entry;
}

async function ofZip<Result>(path: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw damagedZip(path, error instanceof Error ? error.message : String(error));
  }
}

function damagedZip(path: string, why: string): TapeproofError {
  return new TapeproofError(
    'USAGE',
    `The file ${path} cannot be read: its zip data is damaged (${why}): download it again.`,
  );
}
