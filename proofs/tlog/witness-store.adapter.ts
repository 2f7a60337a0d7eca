import { hash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { textOfUtf8 } from './encoding.ts';
import type { VerifierKey } from './note-key.ts';
import { NOTE_BYTES_MAX, parseNote, verifiedSignatures } from './signed-note.ts';
import type { Inconsistency } from './witness.ts';

const CHECKPOINT_FILE = 'checkpoint';
const EVIDENCE_FILE: Readonly<Record<Inconsistency, string>> = {
  CONFLICTING_ROOT: 'first-conflicting-root',
  UNPROVEN: 'first-unproven',
};
const ORIGIN_HASH = /^[0-9a-f]{64}$/;
/** Logs that one witness remembers. */
const LOGS_MAX = 4_096;

/** What a witness remembers of a log. */
export interface RememberedLog extends Checkpoint {
  /** The checkpoint with the log's signature and the cosignature. */
  readonly note: string;
  /** When it was cosigned, seconds since 1970. */
  readonly timeS: number;
}

/** A log's name in paths and URLs, as in C2SP tlog-witness: SHA-256 of the origin, hex. */
export function originHash(origin: string): string {
  return hash('sha256', origin);
}

/**
 * What a witness has cosigned, in a folder with one folder for each log, named {@link originHash}: `checkpoint` is the
 * note that was cosigned last, `first-…` the first request of each kind that was not consistent.
 */
export class WitnessStore {
  readonly #folder: string;
  /** By {@link originHash}. */
  readonly #logs = new Map<string, RememberedLog>();
  readonly #evidence = new Set<string>();
  readonly #logsMax: number;

  private constructor(folder: string, logsMax: number) {
    this.#folder = folder;
    this.#logsMax = logsMax;
  }

  /**
   * @param key - the witness's: only what it cosigned counts.
   * @throws TapeproofError NOT_USABLE when a log's state is damaged or of another witness: a witness that forgot would
   *   cosign a rewritten log.
   */
  static async open(folder: string, key: VerifierKey, logsMax = LOGS_MAX): Promise<WitnessStore> {
    const store = new WitnessStore(folder, logsMax);
    await mkdir(folder, { recursive: true });
    for (const name of await readdir(folder)) if (ORIGIN_HASH.test(name)) await store.#load(name, key);
    return store;
  }

  async #load(name: string, key: VerifierKey): Promise<void> {
    const folder = join(this.#folder, name);
    const names = await readdir(folder);
    for (const [kind, file] of Object.entries(EVIDENCE_FILE)) if (names.includes(file)) this.#evidence.add(name + kind);
    // A folder without one: the process ended before anything was cosigned.
    if (!names.includes(CHECKPOINT_FILE)) return;
    this.#logs.set(name, await readLog(join(folder, CHECKPOINT_FILE), name, key));
  }

  latest(origin: string): RememberedLog | undefined {
    return this.#logs.get(originHash(origin));
  }

  /** @param name - see {@link originHash}. */
  noteOf(name: string): string | undefined {
    return this.#logs.get(name)?.note;
  }

  get logs(): readonly RememberedLog[] {
    return [...this.#logs.values()];
  }

  /** Kinds of inconsistency that were seen of a log. */
  inconsistenciesOf(origin: string): readonly Inconsistency[] {
    const kinds: readonly Inconsistency[] = ['CONFLICTING_ROOT', 'UNPROVEN'];
    return kinds.filter((kind) => this.#evidence.has(originHash(origin) + kind));
  }

  /** Remembers a log; it is on the disk when this returns. @throws TapeproofError CONFLICT where there are too many. */
  async save(log: RememberedLog): Promise<void> {
    const name = originHash(log.origin);
    if (!this.#logs.has(name) && this.#logs.size >= this.#logsMax) {
      throw new TapeproofError(
        'CONFLICT',
        `This witness has room for ${counted(this.#logsMax, 'log')}, and all is taken: run another one.`,
      );
    }
    await this.#write(name, CHECKPOINT_FILE, log.note);
    this.#logs.set(name, log);
  }

  /** Keeps the first request of its kind. @returns whether it is the first. */
  async saveInconsistency(origin: string, kind: Inconsistency, request: string): Promise<boolean> {
    const name = originHash(origin);
    if (this.#evidence.has(name + kind)) return false;
    await this.#write(name, EVIDENCE_FILE[kind], request);
    this.#evidence.add(name + kind);
    return true;
  }

  /** Replaces a file atomically and durably. */
  async #write(name: string, file: string, text: string): Promise<void> {
    const folder = join(this.#folder, name);
    if ((await mkdir(folder, { recursive: true })) !== undefined) await sync(this.#folder);
    const unfinished = join(folder, `${file}.new`);
    const handle = await open(unfinished, 'w');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, join(folder, file));
    await sync(folder);
  }
}

/** A folder's entries survive a crash only once the folder itself is on the disk. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readLog(file: string, name: string, key: VerifierKey): Promise<RememberedLog> {
  try {
    const { size: bytes } = await stat(file);
    if (bytes > NOTE_BYTES_MAX) throw new Error('it is too long');
    const note = textOfUtf8(await readFile(file), 'the state');
    const parsed = parseNote(note);
    const checkpoint = parseCheckpoint(parsed.text);
    const [cosignature] = verifiedSignatures(parsed, [key]);
    if (cosignature?.timeS === undefined) throw new Error(`${key.name} did not cosign it with this key`);
    if (originHash(checkpoint.origin) !== name) throw new Error('it is of another log');
    return { ...checkpoint, note, timeS: cosignature.timeS };
  } catch (error) {
    throw new TapeproofError(
      'NOT_USABLE',
      `What this witness remembers in ${file} cannot be used (${(error as Error).message.replace(/\.$/, '')}): restore it from a copy, or give the key and the state that belong together.`,
      { cause: error },
    );
  }
}
