import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBody } from '../contracts/codec.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { readTrade } from '../contracts/trade-reader.ts';
import { TapeproofError } from '../platform/errors.ts';
import type { Run, Sortable } from './sort.ts';

/** A trade on its way through the sort. */
export interface SortableTrade extends Sortable {
  readonly line: number;
  readonly trade: Trade;
}

const READ_BYTES = 256 * 1024;
const WRITE_BYTES = 1024 * 1024;
/** Ordinal and line as doubles, then the length of the body. */
const HEAD_BYTES = 20;

/**
 * A sorted run of trades in a temporary file. The file is unlinked as soon as it is open: however this process ends,
 * the operating system reclaims its space.
 */
export class RunFile {
  private readonly handle: FileHandle;
  private bytes = 0;

  private constructor(handle: FileHandle) {
    this.handle = handle;
  }

  /** @throws TapeproofError USAGE where the folder for temporary files cannot be written */
  static async write(groups: Iterable<readonly SortableTrade[]> | AsyncIterable<readonly SortableTrade[]>) {
    const file = await writable(async () => new RunFile(await openNameless()));
    try {
      let pending: Buffer[] = [];
      let pendingBytes = 0;
      for await (const group of groups) {
        for (const row of group) {
          const encoded = encode(row);
          pending.push(encoded);
          pendingBytes += encoded.length;
          if (pendingBytes < WRITE_BYTES) continue;
          await file.append(Buffer.concat(pending));
          pending = [];
          pendingBytes = 0;
        }
      }
      await file.append(Buffer.concat(pending));
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The run from its beginning, read piece by piece. */
  rows(): Run<SortableTrade> {
    return new RunReader(this.handle, this.bytes);
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async append(bytes: Buffer): Promise<void> {
    await writable(() => this.handle.write(bytes, 0, bytes.length, this.bytes));
    this.bytes += bytes.length;
  }
}

class RunReader implements Run<SortableTrade> {
  private readonly handle: FileHandle;
  private readonly bytes: number;
  private position = 0;
  private buffer: Buffer = Buffer.alloc(0);
  private at = 0;

  constructor(handle: FileHandle, bytes: number) {
    this.handle = handle;
    this.bytes = bytes;
  }

  next(): SortableTrade | undefined | Promise<SortableTrade | undefined> {
    return this.rowAtHand() ?? (this.position < this.bytes ? this.readOn() : undefined);
  }

  private rowAtHand(): SortableTrade | undefined {
    const { buffer, at } = this;
    if (buffer.length - at < HEAD_BYTES) return undefined;
    const end = at + HEAD_BYTES + buffer.readUInt32LE(at + 16);
    if (buffer.length < end) return undefined;
    this.at = end;
    const trade = readTrade(buffer.subarray(0, end), at + HEAD_BYTES);
    return { eventTimeUs: trade.eventTime, ordinal: buffer.readDoubleLE(at), line: buffer.readDoubleLE(at + 8), trade };
  }

  private async readOn(): Promise<SortableTrade | undefined> {
    const rest = this.buffer.subarray(this.at);
    const wanted = Math.min(READ_BYTES, this.bytes - this.position);
    const piece = Buffer.allocUnsafe(wanted);
    const { bytesRead } = await this.handle.read(piece, 0, wanted, this.position);
    if (bytesRead === 0) throw new Error('a temporary file of the sort is shorter than what was written');
    this.position += bytesRead;
    this.buffer = Buffer.concat([rest, piece.subarray(0, bytesRead)]);
    this.at = 0;
    return await this.next();
  }
}

function encode({ ordinal, line, trade }: SortableTrade): Buffer {
  const body = encodeBody('Trade', trade);
  const encoded = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  encoded.writeDoubleLE(ordinal, 0);
  encoded.writeDoubleLE(line, 8);
  encoded.writeUInt32LE(body.length, 16);
  body.copy(encoded, HEAD_BYTES);
  return encoded;
}

async function openNameless(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-sort-'));
  try {
    return await open(join(folder, 'run'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writable<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new TapeproofError(
      'USAGE',
      `The rows cannot be sorted: the folder for temporary files ${tmpdir()} cannot be written (${error.message}); name one with room for the file in TMPDIR.`,
      { cause: error },
    );
  }
}
