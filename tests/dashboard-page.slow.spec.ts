import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatVerifierKey } from '../proofs/tlog/note-key.ts';
import { chromiumPath, openBrowser } from './dashboard/browser.ts';
import { DIST_FOLDER, FixtureServer, ODD_INSTRUMENT } from './dashboard/fixture-server.ts';
import { LOG_KEY, OTHER_LOG_KEY, WITNESS_KEY } from './support/signed-log.ts';
import { until } from './support/until.ts';

/** What the whole page may weigh, as it is sent: compressed where that makes it smaller. */
const WEIGHT_BYTES_MAX = 300_000;
const PHONE = { width: 360, height: 780 };
const PROMISE = 'Probabilities, not predictions or advice';
const INSTRUMENT = 'BTC-USDT@binance';

beforeAll(async () => {
  await build({ configFile: join(import.meta.dirname, '..', 'dashboard', 'vite.config.ts'), logLevel: 'error' });
});

describe('the built page', () => {
  const files = (): string[] =>
    readdirSync(DIST_FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));

  it('weighs at most 300 kB', () => {
    const weights = files().map((name) => {
      const bytes = readFileSync(join(DIST_FOLDER, name));
      return Math.min(bytes.length, gzipSync(bytes).length);
    });
    expect(weights.length).toBeGreaterThan(3);
    expect(weights.reduce((sum, each) => sum + each, 0)).toBeLessThan(WEIGHT_BYTES_MAX);
  });

  it('has neither script nor style within it, nor an address elsewhere', () => {
    expect(existsSync(join(DIST_FOLDER, 'index.html'))).toBe(true);
    const html = readFileSync(join(DIST_FOLDER, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style| style="| on[a-z]+="|https?:\/\//);
    expect(html.match(/(?:src|href)="(?!\/assets\/)/g)).toBeNull();
  });
});

describe.skipIf(chromiumPath === undefined)(
  `the page in Chromium${chromiumPath === undefined ? ' (skipped: no Chromium here)' : ''}`,
  () => {
    let server: FixtureServer;
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    const complaints: string[] = [];
    const requests: string[] = [];

    beforeAll(async () => {
      server = await FixtureServer.start();
      browser = await openBrowser();
    });
    afterAll(async () => {
      await browser.close();
      await server.close();
    });
    beforeEach(async () => {
      await open();
    });
    afterEach(async () => {
      server.setDown(undefined);
      server.setToken(undefined);
      await context.close();
    });

    /** A new page, without the one before. */
    async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
      [complaints.length, requests.length] = [0, 0];
      context = await browser.newContext({ timezoneId: 'Asia/Tokyo', ...options });
      page = await context.newPage();
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => requests.push(request.url()));
    }

    async function reopen(options: Parameters<Browser['newContext']>[0]): Promise<void> {
      await context.close();
      await open(options);
    }

    const decisionId = (): string => server.markets[0]!.decisions.find(({ status }) => status === 'HIT')!.decisionId;
    const pages = (): readonly (readonly [string, string])[] => [
      ['/', INSTRUMENT],
      [`/instruments/${encodeURIComponent(INSTRUMENT)}`, 'Price and decisions'],
      ['/scoreboard', 'Decisions, pooled'],
      ['/audit', 'Event id'],
      [`/audit/${decisionId()}`, 'From the outcome to the trades'],
      ['/pipeline', 'Consumer group'],
    ];
    const visit = async (path: string, text: string): Promise<void> => {
      await page.goto(server.address + path);
      await page.getByText(text, { exact: false }).first().waitFor();
      await page.getByText('Loading …').first().waitFor({ state: 'detached' });
    };

    it('shows each page by its address, with its promise, no complaint and no request elsewhere', async () => {
      for (const [path, text] of pages()) {
        await visit(path, text);
        expect(await page.getByText(PROMISE).first().isVisible(), path).toBe(true);
        expect(await page.title()).toMatch(/^.+ – Tapeproof$/);
      }
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith(`${server.address}/`))).toEqual([]);
    });

    it.each(['light', 'dark'] as const)('has no serious finding of axe, %s', async (colorScheme) => {
      await reopen({ colorScheme, bypassCSP: true });
      for (const [path, text] of pages()) {
        await visit(path, text);
        await page.addScriptTag({ content: axe.source });
        const { violations } = await page.evaluate<{ violations: Violation[] }>('axe.run()');
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => `${path} ${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual(
          [],
        );
      }
    });

    it('shows a price as it arrives, and says when the connection is lost and how old everything is', async () => {
      await visit('/', INSTRUMENT);
      await page.getByText('Updating live').waitFor();
      server.publishPrice('71234.5');
      await page.getByText('71,234.5').waitFor();
      await page.evaluate(`globalThis.wasLost = false;
        new MutationObserver(() => { globalThis.wasLost ||= document.body.innerText.includes('The connection to the server is lost'); })
          .observe(document.body, { subtree: true, childList: true });`);
      server.dropViewers();
      await until('the loss was said', () => page.evaluate<boolean>('globalThis.wasLost'));
      await page.getByText('Updating live').waitFor();
    });

    it('marks a stale price by a word, a dash and its age', async () => {
      await visit('/', ODD_INSTRUMENT);
      const row = page.locator('tr', { hasText: ODD_INSTRUMENT });
      expect(await row.getByText('stale').isVisible()).toBe(true);
      expect(await row.innerText()).toContain('1 h 30 min');
      expect(await page.locator('tr', { hasText: INSTRUMENT }).getByText('stale').count()).toBe(0);
    });

    it('leads from a mark on the chart to its audit, with the pointer', async () => {
      // The chart and the list of decisions are seen together.
      await reopen({ viewport: { width: 1280, height: 2_000 } });
      await visit(`/instruments/${encodeURIComponent(INSTRUMENT)}`, 'Price and decisions');
      await page.locator('.chart canvas').first().waitFor();
      const link = page.getByRole('link', { name: `audit ${decisionId()}` });
      await link.focus();
      const ring = await page.locator('.marker-ring').boundingBox();
      expect(ring).not.toBeNull();
      const [x, y] = [ring!.x + ring!.width / 2, ring!.y + ring!.height / 2];
      await page.mouse.move(x - 3, y);
      await page.mouse.move(x, y);
      await page.getByText(`Click to audit ${decisionId()}`).waitFor();
      await page.mouse.click(x, y);
      await page.getByText('From the outcome to the trades').waitFor();
      expect(new URL(page.url()).pathname).toBe(`/audit/${decisionId()}`);
      await page.goBack();
      await page.getByText('Price and decisions').waitFor();
    });

    it('leads to any instrument, whatever characters it has, and to audits, with the keyboard', async () => {
      await visit('/', ODD_INSTRUMENT);
      await page.locator('tr', { hasText: ODD_INSTRUMENT }).getByRole('link').first().focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: ODD_INSTRUMENT }).waitFor();
      const first = page.getByRole('link', { name: /: audit decision-/ }).first();
      await first.focus();
      await page.keyboard.press('Enter');
      await page.getByText('From the outcome to the trades').waitFor();
    });

    it('has the figures of the chart as a table', async () => {
      await visit(`/instruments/${encodeURIComponent(INSTRUMENT)}`, 'Price and decisions');
      await page.getByText('The chart as a table').click();
      const rows = await page.getByRole('region', { name: 'The chart as a table' }).locator('tbody tr').count();
      expect(rows).toBe(360);
    });

    it('names the store that is down, and goes on with the rest', async () => {
      server.setDown('redis');
      await page.goto(server.address);
      await page.getByText('Redis does not answer at 127.0.0.1').waitFor();
      server.setDown('postgres');
      await visit('/pipeline', 'Consumer group');
      await page.getByText('Postgres does not answer at 127.0.0.1').first().waitFor();
      expect(await page.getByText('A service does not answer').first().isVisible()).toBe(true);
    });

    it('asks for the token that the server demands', async () => {
      server.setToken('secret');
      await page.goto(server.address);
      await page.getByLabel('This server asks for a token').fill('secret');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText(INSTRUMENT).first().waitFor();
      await page.getByText('Updating live').waitFor();
      expect(page.url()).not.toContain('secret');
    });

    it('derives an event again, and checks its proof with the keys of the viewer', async () => {
      await visit(`/audit/${decisionId()}`, 'From the outcome to the trades');
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
      expect((await download).suggestedFilename()).toBe(`${decisionId()}.tlog-proof`);
      expect(complaints).toEqual([]);
    });

    it('keeps backtests apart, and says so at each of them', async () => {
      await visit('/scoreboard', 'Decisions, pooled');
      const trials = page.getByRole('region', { name: 'Trials' }).first();
      expect(await trials.locator('tbody tr').count()).toBe(12);
      expect(await trials.getByText('hypothetical', { exact: true }).count()).toBe(13);
      expect(await page.getByText('12 configurations were tried on the same data').isVisible()).toBe(true);
    });

    it('shows times in the zone of the viewer, and UTC on hover', async () => {
      await visit('/audit/decision-3-18540-0', 'From the outcome to the trades');
      const time = page.locator('.chain time').first();
      expect(await time.innerText()).toBe('26 Nov 2013, 21:35:45');
      expect(await time.getAttribute('title')).toBe('2013-11-26 12:35:45.000 UTC');
    });

    it('fits a phone, page by page', async () => {
      await reopen({ viewport: PHONE, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
      for (const [path, text] of pages()) {
        await visit(path, text);
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect(width, path).toBeLessThanOrEqual(PHONE.width);
      }
    });

    it('says that an address names no page or no event', async () => {
      await page.goto(`${server.address}/nowhere`);
      await page.getByText('The address names no page here').waitFor();
      await page.goto(`${server.address}/audit/nothing-1`);
      await page.getByText('There is no such thing').waitFor();
    });
  },
);

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}
