import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { Framed, framedIn } from '../platform/kafka/framed-record.ts';
import { formatSignerKey, formatVerifierKey, parseSignerKey, parseVerifierKey } from '../proofs/tlog/note-key.ts';
import { eventBytes, eventHashOf, formatProof } from '../proofs/tlog/tlog-proof.ts';
import { TreeWindow } from '../proofs/tlog/tree-window.ts';
import { cosignedBy } from '../proofs/tlog/witness-client.adapter.ts';
import { signCheckpoint } from '../proofs/tlog/checkpoint.ts';
import { runCommand, startCommand } from '../tests/support/command.ts';
import { sampleLog, sampleRegistry } from '../tests/support/sample-log.ts';
import { until } from '../tests/support/until.ts';
import {
  bytesOfEvent,
  checkpointOf,
  LOG_KEY,
  OTHER_LOG_KEY,
  proofOf,
  treeOf,
  WITNESS_KEY,
} from '../tests/support/signed-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'tapeproof-tlog-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

describe('keygen', () => {
  it.each([
    ['log', []],
    ['witness', ['--witness']],
  ])('makes a key for a %s, for its owner alone, and never replaces one', async (type, words) => {
    const path = join(folder, `${type}.key`);
    const { exitCode, stdout, stderr } = await runCommand(['keygen', '--name', 'a.example', '--out', path, ...words]);
    expect(exitCode).toBe(0);
    const written = readFileSync(path, 'utf8').trim();
    const key = parseSignerKey(written);
    expect(parseVerifierKey(stdout.trim())).toMatchObject({ name: 'a.example', type, publicKey: key.publicKey });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(stdout + stderr).not.toContain(written.slice(-40));
    const again = await runCommand(['keygen', '--name', 'a.example', '--out', path]);
    expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('a key that is replaced is lost')]);
    expect(readFileSync(path, 'utf8').trim()).toBe(written);
  });
});

describe('verify-proof', () => {
  const proof = formatProof(proofOf(treeOf(20), 11));
  const log = ['--log', formatVerifierKey(LOG_KEY)];
  const witness = ['--witness', formatVerifierKey(WITNESS_KEY)];

  it('proves the event in the proof, one of a file, and one by its hash', async () => {
    const path = file('good.tlog-proof', proof);
    const own = await runCommand(['verify-proof', path, ...log, ...witness]);
    expect([own.exitCode, own.stdout]).toEqual([0, expect.stringContaining('\nPROVEN.\n')]);
    const event = file('event', bytesOfEvent(11));
    expect((await runCommand(['verify-proof', path, ...log, '--event', event])).exitCode).toBe(0);
    const hash = eventHashOf(bytesOfEvent(11)).toString('hex');
    const asJson = await runCommand(['verify-proof', path, ...log, ...witness, '--event-hash', hash, '--json']);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ proven: true, index: 11, size: 20, cosignatures: [{}] });
  });

  it('names the event of a recorded log that the proof holds', async () => {
    const records =
      sampleLog()
        .get('probability.decisions')
        ?.find((partition) => partition.length > 3) ?? [];
    const events = await Promise.all(records.map(async (record) => framedIn(sampleRegistry, record)));
    const decisions = events.filter((event) => event instanceof Framed);
    const tree = new TreeWindow(
      0,
      [],
      decisions.map(({ hash }) => hash),
    );
    const decision = decisions[2];
    const extra = eventBytes(decision?.fingerprint ?? '', decision?.body ?? Buffer.alloc(0));
    const checkpoint = signCheckpoint(checkpointOf(tree), [LOG_KEY]);
    const path = file(
      'recorded.tlog-proof',
      formatProof({ extra, index: 2, path: tree.inclusionProof(2, tree.size), checkpoint }),
    );
    const { exitCode, stdout } = await runCommand(['verify-proof', path, ...log]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^decision-\d+-\d+-\d+ {2}#/)]);
  });

  it.each([
    ['another event', proof, [...log, '--event-hash', 'ab'.repeat(32)], 1, 'NOT PROVEN'],
    ['a changed size', proof.replace('\n20\n', '\n21\n'), log, 1, 'does not match the text'],
    ['a missing cosignature', proof.replaceAll(/— witness.*\n/g, ''), [...log, ...witness], 1, '0 of 1 witnesses'],
    ['a proof cut off', proof.slice(0, 300), log, 2, 'truncated'],
    ['the key of another log', proof, ['--log', formatVerifierKey(OTHER_LOG_KEY)], 2, 'is not signed with this key'],
    ['another format', '{}', log, 2, 'is not a proof'],
    ['a mistyped key', proof, ['--log', formatVerifierKey(LOG_KEY).replace('local', 'locale')], 2, 'mistyped'],
    ['a witness given as a log', proof, ['--log', formatVerifierKey(WITNESS_KEY)], 2, 'the key of a witness'],
    ['a witness given twice', proof, [...log, ...witness, ...witness], 2, 'is given twice'],
    ['more witnesses than keys', proof, [...log, ...witness, '--witnesses', '2'], 2, 'the keys of 1 are given'],
    ['a private key', proof, ['--log', formatSignerKey(LOG_KEY)], 2, 'This is a private key'],
  ])('refuses %s', async (name, content, words, code, reason) => {
    const { exitCode, stdout, stderr } = await runCommand(['verify-proof', file(`${name}.bad`, content), ...words]);
    expect([exitCode, stdout + stderr]).toEqual([code, expect.stringContaining(reason)]);
  });

  it('refuses a file that is missing or far too long', async () => {
    const missing = await runCommand(['verify-proof', join(folder, 'missing'), ...log]);
    expect([missing.exitCode, missing.stderr]).toEqual([2, expect.stringContaining('cannot be read')]);
    const long = await runCommand(['verify-proof', file('long', Buffer.alloc(5_000_000, 'a')), ...log]);
    expect([long.exitCode, long.stderr]).toEqual([2, expect.stringContaining('has more than')]);
  });
});

describe('a witness process', () => {
  const tree = treeOf(20);
  const words = [
    ...['witness', '--key', file('w.key', formatSignerKey(WITNESS_KEY))],
    ...['--logs', file('logs', formatVerifierKey(LOG_KEY)), '--state', join(folder, 'state')],
  ];

  async function started() {
    const child = startCommand(words);
    let lines = '';
    child.stderr?.on('data', (chunk: Buffer) => (lines += chunk.toString()));
    await until('the witness listens', () => lines.includes('"url.full"'));
    return { child, url: /"url.full":"([^"]+)"/.exec(lines)?.[1] ?? '' };
  }

  it('keeps what it knows, has its state for itself, disconnects the silent, and ends as asked', async () => {
    const submit = (url: string, size: number) =>
      cosignedBy({ url, key: WITNESS_KEY }, signCheckpoint(checkpointOf(tree, size), [LOG_KEY]), 0, (from, to) =>
        tree.consistencyProof(from, to),
      );
    const first = await started();
    await submit(first.url, 12);
    const second = await runCommand(words);
    expect([second.exitCode, second.stderr]).toEqual([1, expect.stringContaining('Another witness uses')]);
    const socket = connect(Number(new URL(first.url).port), '127.0.0.1');
    socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 1000\r\n\r\nold 0\n');
    expect(await text(socket)).toContain('HTTP/1.1 408');
    first.child.kill('SIGTERM');
    expect(await once(first.child, 'exit')).toEqual([0, null]);
    const again = await started();
    await submit(again.url, 20);
    await expect(submit(again.url, 12)).rejects.toThrow('has cosigned this log at size 20');
    again.child.kill('SIGKILL');
    await once(again.child, 'exit');
    const third = await started();
    await expect(submit(third.url, 12)).rejects.toThrow('has cosigned this log at size 20');
    third.child.kill('SIGTERM');
    expect(await once(third.child, 'exit')).toEqual([0, null]);
  });

  it.each([
    ['the key of a log', ['--key', file('log-key', formatSignerKey(LOG_KEY))], 'is a log'],
    ['a key that is none', ['--key', file('no-key', 'secret')], 'The private key is not valid'],
    ['no logs', ['--logs', file('no-logs', '# none\n')], 'names no log'],
    ['a broken list', ['--logs', file('broken-logs', 'x\n')], 'Line 1 of the logs'],
  ])('does not start with %s', async (_what, changed, reason) => {
    const { exitCode, stderr } = await runCommand([...words, ...changed]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(reason)]);
  });
});
