import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasEnded, processIdentity } from './process-identity.ts';

const MODULE = join(import.meta.dirname, 'process-identity.ts');
const SAYS_ITS_IDENTITY = `
  import { processIdentity } from ${JSON.stringify(MODULE)};
  console.log(processIdentity());
  setInterval(() => undefined, 1_000);`;

it('knows that a process was killed, and that one lives, is stopped, or is elsewhere', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SAYS_ITS_IDENTITY]);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const identity = line.toString().trim();
  expect(hasEnded(identity)).toBe(false);
  child.kill('SIGSTOP');
  expect(hasEnded(identity)).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(hasEnded(identity)).toBe(true);
  const [boot = '', namespace = '', pid = ''] = identity.split(' ');
  for (const elsewhere of [
    `${boot} pid:[1] ${pid} 5`,
    `00000000-0000-0000-0000-000000000000 ${namespace} ${pid} 5`,
    `${boot} ${namespace}`,
    '',
    'undefined',
  ]) {
    expect(hasEnded(elsewhere), elsewhere).toBe(false);
  }
});

it('is of this process, which has not ended; its number alone is not: it is used again', () => {
  const identity = processIdentity() ?? '';
  expect(identity).toContain(` ${process.pid} `);
  expect(hasEnded(identity)).toBe(false);
  expect(hasEnded(identity.replace(/\d+$/, '1'))).toBe(true);
});
