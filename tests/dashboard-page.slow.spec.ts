import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatVerifierKey } from '../proofs/tlog/note-key.ts';
import { chromiumPath, openBrowser } from './dashboard/browser.ts';
import { DIST_FOLDER, FixtureServer, ODD_INSTRUMENT } from './dashboard/fixture-server.ts';
import { describeServedPage, newestDecision, openPage, type OpenPage } from './dashboard/page-suite.ts';
import { LOG_KEY, OTHER_LOG_KEY, WITNESS_KEY } from './support/signed-log.ts';
import { until } from './support/until.ts';

/** What the whole page may weigh, as it is sent: compressed where that makes it smaller. */
const WEIGHT_BYTES_MAX = 300_000;
const INSTRUMENT = 'BTC-USDT@binance';

let server: FixtureServer;

beforeAll(async () => {
  await build({ configFile: join(import.meta.dirname, '..', 'dashboard', 'vite.config.ts'), logLevel: 'error' });
  server = await FixtureServer.start();
});
afterAll(() => server.close());

describe('the built page', () => {
  it('weighs at most 300 kB', () => {
    const names = readdirSync(DIST_FOLDER, { recursive: true, encoding: 'utf8' });
    const weights = names
      .filter((name) => name.includes('.'))
      .map((name) => {
        const bytes = readFileSync(join(DIST_FOLDER, name));
        return Math.min(bytes.length, gzipSync(bytes).length);
      });
    expect(weights.length).toBeGreaterThan(3);
    expect(weights.reduce((sum, each) => sum + each, 0)).toBeLessThan(WEIGHT_BYTES_MAX);
  });

  it('has neither script nor style within it, nor an address elsewhere', () => {
    const html = readFileSync(join(DIST_FOLDER, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style| style="| on[a-z]+="|https?:\/\//);
    expect(html.match(/(?:src|href)="(?!\/assets\/)/g)).toBeNull();
  });
});

describeServedPage('the page', () => Promise.resolve({ address: server.address, instrument: INSTRUMENT }));
describe.skipIf(chromiumPath === undefined)(
  `the page with made-up data in Chromium${chromiumPath === undefined ? ' (skipped: no Chromium here)' : ''}`,
  () => {
    let browser: Browser;
    let open: OpenPage;
    beforeAll(async () => {
      browser = await openBrowser();
    });
    afterAll(() => browser.close());
    beforeEach(async () => {
      open = await openPage(browser, server.address);
    });
    afterEach(async () => {
      server.setDown(undefined);
      server.setToken(undefined);
      server.setSilent(false);
      await open.close();
    });

    it('shows a price as it arrives, and says when the connection is lost', async () => {
      const { page } = open;
      await open.visit('/', INSTRUMENT);
      await page.getByText('Updating live').waitFor();
      server.publishPrice('71234.5');
      await page.getByText('71,234.5').waitFor();
      await page.evaluate(`globalThis.said = '';
        new MutationObserver(() => { globalThis.said += document.querySelector('[role=alert]')?.textContent ?? ''; })
          .observe(document.body, { subtree: true, childList: true });`);
      server.dropViewers();
      const said = (): Promise<string> => page.evaluate<string>('globalThis.said');
      await until('the loss was said', async () => (await said()).includes('The connection to the server is lost'));
      expect(await said()).toMatch(/The last update was .* ago/);
      await page.getByText('Updating live').waitFor();
    });

    it('replaces a connection over which nothing arrives any more', async () => {
      const { page } = open;
      await page.clock.install();
      await open.visit('/', INSTRUMENT);
      await page.getByText('Updating live').waitFor();
      server.setSilent(true);
      await page.clock.fastForward(30_000);
      await page.getByText('The connection to the server is lost').waitFor();
      server.setSilent(false);
      await page.clock.fastForward(30_000);
      await page.getByText('Updating live').waitFor();
      expect(await page.getByText('The connection to the server is lost').count()).toBe(0);
    });

    it('pages through what is older, and back', async () => {
      const { page } = open;
      await open.visit('/pipeline', 'in line 40');
      await page.getByRole('button', { name: 'Older' }).click();
      await page.getByText('in line 45').waitFor();
      expect(await page.getByText('in line 40').count()).toBe(0);
      await page.getByRole('button', { name: 'Newest' }).click();
      await page.getByText('in line 40').waitFor();
    });

    it('marks a stale price by a word, a dash and its age', async () => {
      const { page } = open;
      await open.visit('/', ODD_INSTRUMENT);
      const row = page.locator('tr', { hasText: ODD_INSTRUMENT });
      expect(await row.getByText('stale').isVisible()).toBe(true);
      expect(await row.innerText()).toContain('1 h 30 min');
      const dashesOf = (instrument: string): Promise<string> =>
        page.evaluate(`getComputedStyle([...document.querySelectorAll('tr')]
          .find(({ textContent }) => textContent.includes(${JSON.stringify(instrument)}))
          .querySelector('.sparkline path')).strokeDasharray`);
      expect(await dashesOf(ODD_INSTRUMENT)).not.toBe('none');
      expect(await page.locator('tr', { hasText: INSTRUMENT }).getByText('stale').count()).toBe(0);
      expect(await dashesOf(INSTRUMENT)).toBe('none');
    });

    it('shows an instrument whatever characters its name has', async () => {
      const { page } = open;
      await open.visit('/', ODD_INSTRUMENT);
      await page.locator('tr', { hasText: ODD_INSTRUMENT }).getByRole('link').first().click();
      await page.getByRole('heading', { name: ODD_INSTRUMENT }).waitFor();
      await page.locator('.chart canvas').first().waitFor();
      await page.reload();
      await page.getByRole('heading', { name: ODD_INSTRUMENT }).waitFor();
      expect(open.complaints).toEqual([]);
    });

    it('opens the decision that the pointer was told, of several at one place', async () => {
      await open.close();
      open = await openPage(browser, server.address, { viewport: { width: 1_280, height: 2_000 } });
      const { page } = open;
      const newest = await newestDecision({ address: server.address, instrument: INSTRUMENT });
      const covered = newest.replace(/1$/, '0');
      expect(covered).not.toBe(newest);
      await open.visit(`/instruments/${encodeURIComponent(INSTRUMENT)}`, 'Price and decisions');
      await page.locator('.chart canvas').first().waitFor();
      await page
        .getByRole('link', { name: `audit ${covered}` })
        .first()
        .focus();
      const ring = (await page.locator('.marker-ring').boundingBox())!;
      const [x, y] = [ring.x + ring.width / 2, ring.y + ring.height / 2];
      await page.mouse.move(x - 3, y);
      await page.mouse.move(x, y);
      await page.getByText(`Click to audit ${covered}`).waitFor();
      await page.getByText('One other decision of this snapshot: see the list.').waitFor();
      // The press takes the focus from the list.
      await page.mouse.down();
      await page.locator('.marker-ring').waitFor({ state: 'detached' });
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      await page.mouse.up();
      await page.getByText('From the outcome to the trades').waitFor();
      expect(new URL(page.url()).pathname).toBe(`/audit/${covered}`);
    });

    it('names the store that is down, and goes on with the rest', async () => {
      const { page } = open;
      server.setDown('redis');
      await page.goto(server.address);
      await page.getByText('Redis does not answer at 127.0.0.1').waitFor();
      await open.visit(`/instruments/${encodeURIComponent(INSTRUMENT)}`, 'Price and decisions');
      await page.locator('.chart canvas').first().waitFor();
      server.setDown('postgres');
      await open.visit('/pipeline', 'Consumer group');
      await page.getByText('Postgres does not answer at 127.0.0.1').first().waitFor();
      expect(await page.getByText('A service does not answer').first().isVisible()).toBe(true);
    });

    it('asks for the token that the server demands, and keeps it out of the address', async () => {
      const { page } = open;
      server.setToken('secret');
      await page.goto(server.address);
      await page.getByLabel('This server asks for a token').fill('secret');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText(INSTRUMENT).first().waitFor();
      await page.getByText('Updating live').waitFor();
      expect([page.url(), ...open.requests].join()).not.toContain('secret');
    });

    it('derives an event again, and checks its proof with the keys of the viewer', async () => {
      const { page } = open;
      await open.visit('/audit/decision-3-18540-0', 'From the outcome to the trades');
      expect(await page.getByText('witnessed before its outcome').isVisible()).toBe(true);
      await page.getByRole('button', { name: 'Derive it again' }).click();
      await page.getByText('5 of 5 events have the same bytes').waitFor();
      const check = async (key: typeof LOG_KEY, verdict: string): Promise<void> => {
        await page.getByLabel('The log’s verifier key').fill(formatVerifierKey(key));
        await page.getByLabel('Verifier keys of the witnesses').fill(formatVerifierKey(WITNESS_KEY));
        await page.getByRole('button', { name: 'Check', exact: true }).click();
        await page.getByRole('heading', { name: verdict, exact: true }).waitFor();
      };
      await check(LOG_KEY, 'PROVEN');
      await check(OTHER_LOG_KEY, 'NOT USABLE');
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download the proof' }).click();
      expect((await download).suggestedFilename()).toBe('decision-3-18540-0.tlog-proof');
      expect(open.complaints).toEqual([]);
    });

    it('keeps backtests apart, and says so at each of them', async () => {
      const { page } = open;
      await open.visit('/scoreboard', 'Decisions, pooled');
      const trials = page.getByRole('region', { name: 'Trials' }).first();
      expect(await trials.locator('tbody tr').count()).toBe(12);
      expect(await trials.getByText('hypothetical', { exact: true }).count()).toBe(13);
      expect(await page.getByText('12 configurations were tried on the same data').isVisible()).toBe(true);
    });

    it('shows times in the zone of the viewer, and UTC on hover', async () => {
      await open.visit('/audit/decision-3-18540-0', 'From the outcome to the trades');
      const time = open.page.locator('.chain time').first();
      expect(await time.innerText()).toBe('26 Nov 2013, 21:35:45');
      expect(await time.getAttribute('title')).toBe('2013-11-26 12:35:45.000 UTC');
    });
  },
);
