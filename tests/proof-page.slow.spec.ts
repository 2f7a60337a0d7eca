import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatVerifierKey } from '../proofs/tlog/note-key.ts';
import { formatProof } from '../proofs/tlog/tlog-proof.ts';
import { chromiumPath, openBrowser } from './dashboard/browser.ts';
import { openPage, type OpenPage } from './dashboard/page-suite.ts';
import { runCommand } from './support/command.ts';
import { LOG_KEY, OTHER_LOG_KEY, proofOf, treeOf, WITNESS_KEY } from './support/signed-log.ts';

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

const hasChromium = chromiumPath !== undefined;

describe.skipIf(!hasChromium)(`the page in Chromium${hasChromium ? '' : ' (skipped: no Chromium here)'}`, () => {
  let browser: Browser;
  let open: OpenPage;
  beforeAll(async () => {
    await runCommand(['verify-proof', '--page', file('page.html')]);
    browser = await openBrowser();
    open = await openPage(browser, '');
    await open.page.goto(pathToFileURL(file('page.html')).href);
  });
  afterAll(() => browser.close());

  const textOf = async (id: string): Promise<string> => (await open.page.locator(`#${id}`).textContent()) ?? '';
  const check = async (proof: string, log: string, witnesses: string): Promise<string> => {
    const { page } = open;
    writeFileSync(file('a.tlog-proof'), proof);
    await page.evaluate(`document.getElementById('verdict').textContent = ''`);
    await page.locator('#log').fill(log);
    await page.locator('#witnesses').fill(witnesses);
    await page.locator('#file').setInputFiles(file('a.tlog-proof'));
    await page.getByRole('button', { name: 'Check' }).click();
    await page.locator('#verdict:not(:empty)').waitFor();
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
    expect(open.requests.filter((url) => !url.startsWith('file:'))).toEqual([]);
    expect(open.complaints).toEqual([]);
    const fetched = "fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')";
    expect(await open.page.evaluate(fetched)).toBe('refused');
    expect(open.complaints.join()).toContain('Content Security Policy');
  });

  it('is used with the keyboard alone, in light and dark', async () => {
    const { page } = open;
    await page.reload();
    await page.locator('#file').setInputFiles(file('a.tlog-proof'));
    const visited: string[] = [];
    for (let step = 0; step < 4; step += 1) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate<string>('document.activeElement.id || document.activeElement.localName');
      visited.push(at);
      if (at === 'log') await page.keyboard.insertText(LOG);
    }
    expect(visited).toEqual(['file', 'log', 'witnesses', 'button']);
    await page.keyboard.press('Enter');
    await page.getByText('PROVEN', { exact: true }).waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('result');
    const backgrounds: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      backgrounds.push(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
    }
    expect(backgrounds).toEqual(['rgb(255, 255, 255)', 'rgb(22, 24, 28)']);
  });
});
