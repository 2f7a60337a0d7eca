import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  checkpointOf,
  COSIGNED_S,
  LOG_KEY,
  ORIGIN,
  OTHER_LOG_KEY,
  SECOND_WITNESS_KEY,
  treeOf,
  WITNESS_KEY,
} from '../../tests/support/signed-log.ts';
import { formatCheckpoint, signCheckpoint, type Checkpoint } from './checkpoint.ts';
import { formatVerifierKey, verifierKey } from './note-key.ts';
import { formatNote, parseNote, signatureLine, verifiedSignatures } from './signed-note.ts';
import type { TreeWindow } from './tree-window.ts';
import { cosignedBy, type WitnessAddress } from './witness-client.adapter.ts';
import { startWitness, type WitnessServer } from './witness-server.adapter.ts';
import { originHash, WitnessStore } from './witness-store.adapter.ts';
import { ADD_CHECKPOINT_BYTES_MAX, formatAddCheckpoint, parseLogKeys } from './witness.ts';

const TREE = treeOf(40);
const REWRITTEN = treeOf(40, 'rewritten');

let folder: string;
let server: WitnessServer;
let logged: string[];
let nowS: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-witness-'));
  logged = [];
  nowS = COSIGNED_S;
  await start();
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function start(key = WITNESS_KEY): Promise<void> {
  const log = {
    event: (action: string) => void logged.push(action),
    sampled: (action: string) => () => void logged.push(action),
  };
  const store = await WitnessStore.open(folder, key);
  server = await startWitness({ key, logKeys: [LOG_KEY], store, host: '127.0.0.1', port: 0, log, nowS: () => nowS });
}

async function restart(): Promise<void> {
  await server.close();
  await start();
}

const url = (path = '') => `http://127.0.0.1:${server.port}${path}`;
const witness = (): WitnessAddress => ({ url: url(), key: WITNESS_KEY });
const signed = (tree: TreeWindow, size: number) => signCheckpoint(checkpointOf(tree, size), [LOG_KEY]);
const proofsOf = (tree: TreeWindow) => (oldSize: number, newSize: number) => tree.consistencyProof(oldSize, newSize);

async function post(body: string | Buffer): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(url('/add-checkpoint'), { method: 'POST', body });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

function submit(oldSize: number, note: string, proof: readonly Buffer[] = []) {
  return post(formatAddCheckpoint({ oldSize, proof, note }));
}

describe('a witness', () => {
  it('cosigns a log as it grows, and keeps each checkpoint before it answers', async () => {
    for (const [oldSize, size] of [
      [0, 0],
      [0, 7],
      [7, 7],
      [7, 8],
      [8, 33],
    ] as const) {
      nowS += 60;
      const note = signed(TREE, size);
      const { status, text } = await submit(oldSize, note, TREE.consistencyProof(oldSize, size));
      expect(status, `${oldSize} to ${size}`).toBe(200);
      expect(verifiedSignatures(parseNote(note + text), [WITNESS_KEY])).toMatchObject([{ timeS: nowS }]);
      const kept = await readFile(join(folder, originHash(ORIGIN), 'checkpoint'), 'utf8');
      expect(kept).toBe(note + text);
      expect(await (await fetch(url(`/${originHash(ORIGIN)}/checkpoint`))).text()).toBe(kept);
    }
    expect(await readdir(join(folder, originHash(ORIGIN)))).toEqual(['checkpoint']);
  });

  it('refuses a rewritten log, and remembers the first time of each kind', async () => {
    await submit(0, signed(TREE, 20));
    const longer = await submit(20, signed(REWRITTEN, 30), REWRITTEN.consistencyProof(20, 30));
    expect(longer).toMatchObject({ status: 422, text: expect.stringContaining('root of size 20') as string });
    expect((await submit(20, signed(REWRITTEN, 20))).status).toBe(422);
    expect((await submit(20, signed(REWRITTEN, 20))).status).toBe(422);
    expect(logged).toEqual(['witness-cosigned', 'witness-inconsistent', 'witness-inconsistent', 'witness-refused']);
    const evidence = await readFile(join(folder, originHash(ORIGIN), 'first-conflicting-root'), 'utf8');
    expect(evidence).toBe(formatAddCheckpoint({ oldSize: 20, proof: [], note: signed(REWRITTEN, 20) }));
    await restart();
    await submit(20, signed(REWRITTEN, 20));
    expect(logged.at(-1)).toBe('witness-refused');
    const summary: unknown = await (await fetch(url('/'))).json();
    expect(summary).toMatchObject({
      key: formatVerifierKey(WITNESS_KEY),
      logs: [{ origin: ORIGIN, size: 20, inconsistencies: ['CONFLICTING_ROOT', 'UNPROVEN'] }],
    });
  });

  it('names the size that it knows, also after a restart, so that no old checkpoint is cosigned again', async () => {
    await submit(0, signed(TREE, 20));
    await restart();
    expect(await submit(0, signed(TREE, 10))).toEqual({ status: 409, type: 'text/x.tlog.size', text: '20\n' });
    expect((await submit(20, signed(TREE, 10))).status).toBe(400);
    expect((await submit(20, signed(TREE, 21), TREE.consistencyProof(20, 21))).status).toBe(200);
  });

  it('takes one of two checkpoints that continue the same size', async () => {
    await submit(0, signed(TREE, 20));
    const sizes = [21, 25, 30, 35];
    const answers = await Promise.all(
      sizes.map((size) => submit(20, signed(TREE, size), TREE.consistencyProof(20, size))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  });

  it('answers 403 without a valid signature of the log', async () => {
    const text = formatCheckpoint(checkpointOf(TREE, 5));
    expect((await submit(0, signCheckpoint(checkpointOf(TREE, 5), [OTHER_LOG_KEY]))).status).toBe(403);
    expect((await submit(0, formatNote(text, [signatureLine(text, LOG_KEY)]))).status).toBe(403);
    expect((await submit(0, signed(TREE, 5).replace('\n5\n', '\n6\n'))).status).toBe(403);
    expect(await readdir(folder)).toEqual([]);
  });

  it('answers 404 for a log that it does not know', async () => {
    const origin = 'other.example/log';
    const key = { ...LOG_KEY, ...verifierKey('other.example', 'log', LOG_KEY.publicKey) };
    const foreign: Checkpoint = { ...checkpointOf(TREE, 5), origin };
    expect((await submit(0, signCheckpoint(foreign, [key]))).status).toBe(404);
  });

  it('answers 422 for a proof that is not needed, is missing or is wrong, and for a wrong empty tree', async () => {
    const empty = signCheckpoint({ ...checkpointOf(TREE, 0), root: TREE.rootAt(1) }, [LOG_KEY]);
    expect((await submit(0, empty)).status).toBe(422);
    expect((await submit(0, signed(TREE, 20), TREE.consistencyProof(10, 20))).status).toBe(422);
    // Nothing was cosigned that they could contradict: whoever has a log's key could fill the disk with such requests.
    expect(await readdir(folder)).toEqual([]);
    expect((await submit(0, signed(TREE, 20))).status).toBe(200);
    expect((await submit(20, signed(TREE, 30))).status).toBe(422);
    expect((await submit(20, signed(TREE, 30), TREE.consistencyProof(20, 30).toReversed())).status).toBe(422);
    expect((await submit(20, signed(TREE, 20), [TREE.rootAt(20)])).status).toBe(422);
  });

  it.each([
    ['nothing', ''],
    ['no blank line', 'old 0\n'],
    ['no old size', signed(TREE, 5)],
    [
      'an old size with a zero in front',
      formatAddCheckpoint({ oldSize: 0, proof: [], note: signed(TREE, 5) }).replace('old 0', 'old 00'),
    ],
    ['a broken hash', `old 3\nAAAA\n\n${signed(TREE, 5)}`],
    ['64 hashes', `old 3\n${`${'A'.repeat(43)}=\n`.repeat(64)}\n${signed(TREE, 5)}`],
    ['no checkpoint', 'old 0\n\n'],
    ['a note that is not a checkpoint', `old 0\n\n${formatNote('text\n', [signatureLine('text\n', LOG_KEY)])}`],
    ['a checkpoint cut off', `old 0\n\n${signed(TREE, 5)}`.slice(0, -1)],
    ['bytes that are not UTF-8', Buffer.from([0x6f, 0xff, 0xfe])],
  ])('answers 400 to %s', async (_what, body) => {
    expect((await post(body)).status).toBe(400);
  });

  it('answers nothing else', async () => {
    expect((await post('x'.repeat(ADD_CHECKPOINT_BYTES_MAX + 1))).status).toBe(413);
    expect((await fetch(url('/other'), { method: 'POST', body: '' })).status).toBe(404);
    expect((await fetch(url('/add-checkpoint'))).status).toBe(404);
    expect((await fetch(url('/'), { method: 'PUT' })).status).toBe(405);
    expect((await fetch(url(`/${originHash(ORIGIN)}/checkpoint`))).status).toBe(404);
  });

  it('cosigns nothing that it could not keep', async () => {
    await submit(0, signed(TREE, 20));
    const place = join(folder, originHash(ORIGIN));
    await rename(place, `${place}.away`);
    await writeFile(place, 'in the way');
    const { status, text } = await submit(20, signed(TREE, 30), TREE.consistencyProof(20, 30));
    expect([status, logged.at(-1)]).toEqual([500, 'witness-failed']);
    expect(text).not.toContain('—');
    await rm(place);
    await rename(`${place}.away`, place);
    expect((await submit(20, signed(TREE, 30), TREE.consistencyProof(20, 30))).status).toBe(200);
  });

  it('remembers no more logs than it has room for', async () => {
    const store = await WitnessStore.open(folder, WITNESS_KEY, 1);
    const log = { ...checkpointOf(TREE, 5), note: 'note\n', timeS: COSIGNED_S };
    await store.save(log);
    await store.save({ ...log, size: 6 });
    await expect(store.save({ ...log, origin: `${ORIGIN}0` })).rejects.toThrow('has room for 1 log, and all is taken');
  });

  it('does not start with a state that it did not cosign', async () => {
    await submit(0, signed(TREE, 20));
    const file = join(folder, originHash(ORIGIN), 'checkpoint');
    const note = await readFile(file, 'utf8');
    const damaged = [
      note.slice(0, 80),
      '',
      note.replace('\n20\n', '\n10\n'),
      signed(TREE, 10),
      note.replaceAll(/— witness.*\n/g, ''),
      Buffer.from([0xff]),
    ];
    for (const bytes of damaged) {
      await writeFile(file, bytes);
      await expect(WitnessStore.open(folder, WITNESS_KEY)).rejects.toThrow('cannot be used');
    }
    await writeFile(file, note);
    await expect(WitnessStore.open(folder, SECOND_WITNESS_KEY)).rejects.toThrow('did not cosign it');
    await rename(join(folder, originHash(ORIGIN)), join(folder, originHash('another')));
    await expect(WitnessStore.open(folder, WITNESS_KEY)).rejects.toThrow('it is of another log');
    await rename(join(folder, originHash('another')), join(folder, originHash(ORIGIN)));
  });

  it('disconnects whoever sends half a request, and ends at once meanwhile', async () => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 1000\r\n\r\nold 0\n');
    const ended = new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
    await server.close();
    await ended;
    await start();
  });
});

describe('the keys of the logs', () => {
  it('are one in each line', () => {
    const key = formatVerifierKey(LOG_KEY);
    expect(parseLogKeys(`# logs\r\n\n  ${key} \r\n`)).toHaveLength(1);
    expect(() => parseLogKeys(`${key}\n${key.slice(1)}`)).toThrow('Line 2 of the logs: The id');
    expect(() => parseLogKeys(formatVerifierKey(WITNESS_KEY))).toThrow('Line 1 of the logs is the key of a witness');
  });
});

describe('the client of a witness', () => {
  it('has a checkpoint cosigned from the size that it knows', async () => {
    const first = await cosignedBy(witness(), signed(TREE, 12), 0, proofsOf(TREE));
    expect(first).toMatchObject({ witness: 'witness.example', timeS: COSIGNED_S });
    const note = signed(TREE, 30);
    const { line } = await cosignedBy(witness(), note, 12, proofsOf(TREE));
    expect(verifiedSignatures(parseNote(note + line), [WITNESS_KEY])).toHaveLength(1);
  });

  it('asks again from the size that the witness names', async () => {
    await cosignedBy(witness(), signed(TREE, 12), 0, proofsOf(TREE));
    const asked: number[] = [];
    const proofs = (oldSize: number, newSize: number) => {
      asked.push(oldSize);
      return TREE.consistencyProof(oldSize, newSize);
    };
    await cosignedBy(witness(), signed(TREE, 30), 5, proofs);
    await cosignedBy(witness(), signed(TREE, 40), 99, proofs);
    expect(asked).toEqual([5, 12, 40, 30]);
  });

  it('reports a log that the witness does not believe', async () => {
    await cosignedBy(witness(), signed(TREE, 20), 0, proofsOf(TREE));
    await expect(cosignedBy(witness(), signed(REWRITTEN, 30), 20, proofsOf(REWRITTEN))).rejects.toMatchObject({
      ...{ code: 'CHECK_FAILED', message: expect.stringContaining('(422)') as string },
    });
    await expect(cosignedBy(witness(), signed(TREE, 10), 0, proofsOf(TREE))).rejects.toMatchObject({
      ...{ code: 'CHECK_FAILED', message: expect.stringContaining('at size 20, and the checkpoint has 10') as string },
    });
  });

  it('believes no cosignature that it cannot verify', async () => {
    const key = { ...WITNESS_KEY, ...verifierKey('witness.example', 'witness', SECOND_WITNESS_KEY.publicKey) };
    await expect(cosignedBy({ url: url(), key }, signed(TREE, 12), 0, proofsOf(TREE))).rejects.toMatchObject({
      ...{ code: 'NOT_USABLE', message: expect.stringContaining('without a cosignature by its key') as string },
    });
  });

  it.each([
    ['a wrong cosignature', 200, () => signatureLine('another\n', WITNESS_KEY, COSIGNED_S), 'does not match the text'],
    ['no signature lines', 200, () => 'ok\n', 'is not a signature line'],
    ['a size that is none', 409, () => 'twelve\n', 'not a whole number'],
    ['another size each time', 409, () => `${(served += 1)}\n`, 'named another size each of 3 times'],
    ['an outage', 503, () => 'later', 'does not cosign the checkpoint (503): "later"'],
  ])('reports %s', async (_what, status, body, reason) => {
    served = 0;
    const other = createServer((request, response) => {
      request.resume();
      response.writeHead(status).end(body());
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const address = { url: `http://user:password@127.0.0.1:${port}/prefix/`, key: WITNESS_KEY };
    const failure = cosignedBy(address, signed(TREE, 12), 0, proofsOf(TREE)).catch((error: unknown) => error as Error);
    expect((await failure) as Error).toMatchObject({ message: expect.stringContaining(reason) as string });
    expect(((await failure) as Error).message).not.toContain('password');
    other.close();
  });

  it('waits no longer than its deadline', async () => {
    const deaf = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    const { port } = deaf.address() as AddressInfo;
    const address = { url: `http://127.0.0.1:${port}`, key: WITNESS_KEY };
    await expect(cosignedBy(address, signed(TREE, 12), 0, proofsOf(TREE), 50)).rejects.toMatchObject({
      ...{ code: 'UNREACHABLE', message: expect.stringContaining('no answer within 0.05 s') as string },
    });
    deaf.closeAllConnections();
    deaf.close();
    await expect(cosignedBy({ ...address, url: 'not a url' }, signed(TREE, 12), 0, proofsOf(TREE))).rejects.toThrow(
      'its address is not a valid URL',
    );
  });
});

let served = 0;
