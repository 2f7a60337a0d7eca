import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatVerifierKey } from '../proofs/tlog/note-key.ts';
import { formatProof } from '../proofs/tlog/tlog-proof.ts';
import { BrowserPage, hasChromium } from './support/chromium.ts';
import { runCommand } from './support/command.ts';
import { LOG_KEY, OTHER_LOG_KEY, proofOf, treeOf, WITNESS_KEY } from './support/signed-log.ts';
import { until } from './support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'tapeproof-page-'));
const file = (name: string): string => join(folder, name);
const PROOF = formatProof(proofOf(treeOf(20), 11));
const [LOG, OTHER, WITNESS] = [LOG_KEY, OTHER_LOG_KEY, WITNESS_KEY].map(formatVerifierKey) as [string, string, string];

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('verify-proof --page', () => {
  it('writes the page to a new file, and says what else is missing', async () => {
    const written = await runCommand(['verify-proof', '--page', file('new.html')]);
    expect([written.exitCode, written.stderr]).toEqual([0, '']);
    const again = await runCommand(['verify-proof', '--page', file('new.html')]);
    expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('exists already')]);
    for (const [words, reason] of [
      [[], 'Name the proof'],
      [['a.tlog-proof'], 'with --log'],
      [['a.tlog-proof', '--page', file('b.html')], 'not both'],
    ] as const) {
      const { exitCode, stderr } = await runCommand(['verify-proof', ...words]);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(reason)]);
    }
  });
});

describe.skipIf(!hasChromium)(`the page in Chromium${hasChromium ? '' : ' (skipped: no Chromium here)'}`, () => {
  let page: BrowserPage;
  beforeAll(async () => {
    await runCommand(['verify-proof', '--page', file('page.html')]);
    page = await BrowserPage.open(pathToFileURL(file('page.html')).href);
  });
  afterAll(() => page.close());

  const textOf = (id: string) => page.evaluate<string>(`document.getElementById('${id}').textContent`);
  const check = async (proof: string, log: string, witnesses: string): Promise<string> => {
    writeFileSync(file('a.tlog-proof'), proof);
    await page.evaluate(
      `document.getElementById('verdict').textContent = '';
       document.getElementById('log').value = ${JSON.stringify(log)};
       document.getElementById('witnesses').value = ${JSON.stringify(witnesses)};`,
    );
    await page.chooseFile('#file', file('a.tlog-proof'));
    await page.evaluate(`document.querySelector('button').click()`);
    await until('there is a verdict', async () => (await textOf('verdict')) !== '');
    return await textOf('verdict');
  };

  it('comes to a verdict, shows each step, and asks for nothing', async () => {
    expect(await check(PROOF, LOG, WITNESS)).toBe('PROVEN');
    expect(await textOf('summary')).toContain('leaf 11 of 20');
    expect(await textOf('steps')).toMatch(/SHA-256 alone[^]*witness\.example at 2025-11-26T09:40:00/);
    expect(await check(PROOF.replace('\n20\n', '\n21\n'), LOG, WITNESS)).toBe('NOT PROVEN');
    expect(await check(PROOF, OTHER, WITNESS)).toBe('NOT USABLE');
    expect(await check(PROOF.slice(0, 200), LOG, '')).toBe('NOT USABLE');
    expect(await check(PROOF, LOG, '')).toBe('PROVEN');
    expect(await textOf('unchecked')).toContain('the key of a witness');
    expect(page.requests.filter((url) => !url.startsWith('file:') && !url.startsWith('about:'))).toEqual([]);
    expect(page.complaints).toEqual([]);
    const fetched = "fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')";
    expect(await page.evaluate(fetched)).toBe('refused');
    expect(page.complaints.join()).toContain('Content Security Policy');
  });

  it('is used with the keyboard alone, in light and dark', async () => {
    await page.evaluate('document.activeElement.blur(); document.body.focus()');
    await page.send('Page.reload');
    await until('it is loaded again', () => page.evaluate<boolean>('document.readyState === "complete"'));
    await page.chooseFile('#file', file('a.tlog-proof'));
    const visited: string[] = [];
    for (let step = 0; step < 4; step += 1) {
      await page.press('Tab');
      const at = await page.evaluate<string>('document.activeElement.id || document.activeElement.localName');
      visited.push(at);
      if (at === 'log') await page.send('Input.insertText', { text: LOG });
    }
    expect(visited).toEqual(['file', 'log', 'witnesses', 'button']);
    await page.press('Enter', '\r');
    await until('there is a verdict', async () => (await textOf('verdict')) === 'PROVEN');
    expect(await page.evaluate('document.activeElement.id')).toBe('result');
    const backgrounds: string[] = [];
    for (const value of ['light', 'dark']) {
      await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] });
      backgrounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
    }
    expect(backgrounds).toEqual(['rgb(255, 255, 255)', 'rgb(22, 24, 28)']);
  });
});
