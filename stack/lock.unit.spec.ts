import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withFolderLock } from './lock.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeproof-lock-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const nothing = (): void => undefined;

describe('withFolderLock', () => {
  it('lets one work at a time, and informs the other that it waits', async () => {
    const events: string[] = [];
    const { promise: release, resolve: letGo } = Promise.withResolvers<undefined>();
    const first = withFolderLock(folder, nothing, async () => {
      await release;
      events.push('first done');
    });
    const onWait = (): void => {
      events.push('second waits');
      letGo(undefined);
    };
    const second = withFolderLock(folder, onWait, () => {
      events.push('second works');
      return Promise.resolve();
    });
    await Promise.all([first, second]);
    expect(events).toEqual(['second waits', 'first done', 'second works']);
  });

  it('creates its folder, with its parents', async () => {
    await expect(withFolderLock(join(folder, 'a', 'b'), nothing, () => Promise.resolve('done'))).resolves.toBe('done');
  });

  it.runIf(process.platform === 'linux')('refuses /proc, where a recursive mkdir would never end', async () => {
    for (const refused of ['/proc', '/proc/a', '/proc/a/b', join(import.meta.filename, 'a'), import.meta.filename]) {
      const locked = withFolderLock(refused, nothing, () => Promise.resolve());
      await expect(locked).rejects.toThrow(`The stack cannot use ${refused} (`);
      await expect(locked).rejects.toMatchObject({ exitCode: 3 });
    }
  });

  it('is free again after a failure', async () => {
    await expect(withFolderLock(folder, nothing, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await expect(withFolderLock(folder, nothing, () => Promise.resolve('done'))).resolves.toBe('done');
  });

  it('is free again when its holder is killed', async () => {
    const script = `
      import { withFolderLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
      await withFolderLock(process.argv[1], () => {}, () => new Promise((resolve) => {
        setTimeout(resolve, 30_000);
        console.log('held');
      }));`;
    const holder = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    let waited = false;
    const onWait = (): void => {
      waited = true;
      holder.kill('SIGKILL');
    };
    await withFolderLock(folder, onWait, () => Promise.resolve());
    expect(waited).toBe(true);
  });
});
