import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromiumPath, openBrowser } from './browser.ts';

const PHONE = { width: 360, height: 780 };
const PROMISE = 'Probabilities, not predictions or advice';

/** What serves the page, and something on it. */
export interface ServedPage {
  /** Such as `http://127.0.0.1:8080`. */
  readonly address: string;
  /** An instrument with snapshots and decisions in the last six hours before its latest price. */
  readonly instrument: string;
}

/** A browser's page, with what it complained of and asked for. */
export interface OpenPage {
  readonly page: Page;
  /** Errors and warnings of the console, and exceptions. */
  readonly complaints: readonly string[];
  /** Addresses. */
  readonly requests: readonly string[];
  /** Goes to a path, and waits until this text is shown and nothing is awaited. */
  readonly visit: (path: string, text: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens a page of its own. */
export async function openPage(
  browser: Browser,
  address: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<OpenPage> {
  const [complaints, requests]: [string[], string[]] = [[], []];
  const context: BrowserContext = await browser.newContext({ timezoneId: 'Asia/Tokyo', ...options });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  return {
    ...{ page, complaints, requests },
    visit: async (path, text) => {
      await page.goto(address + path);
      await page.getByText(text).first().waitFor();
      await page.getByText('Loading …').first().waitFor({ state: 'detached' });
    },
    close: () => context.close(),
  };
}

/** Each page with a text that it has: the newest decision that the server lists is audited. */
export async function pagesOf({ address, instrument }: ServedPage): Promise<readonly (readonly [string, string])[]> {
  return [
    ['/', instrument],
    [`/instruments/${encodeURIComponent(instrument)}`, 'Price and decisions'],
    ['/scoreboard', 'Trials'],
    ['/audit', 'Event id'],
    [`/audit/${await newestDecision({ address, instrument })}`, 'From the outcome to the trades'],
    ['/pipeline', 'Consumer group'],
  ];
}

/** The newest decision that is LONG or SHORT, so that its mark is a triangle, of those that the page lists first. */
export async function newestDecision({ address, instrument }: ServedPage): Promise<string> {
  const path = `/api/v1/instruments/${encodeURIComponent(instrument)}/decisions?limit=25`;
  const { decisions } = (await (await fetch(address + path)).json()) as {
    decisions: { decisionId: string; direction: string }[];
  };
  const found = decisions.find(({ direction }) => direction !== 'NEUTRAL');
  if (found === undefined) throw new Error(`none of the ${decisions.length} newest decisions is LONG or SHORT`);
  return found.decisionId;
}

/**
 * What holds wherever the page is served from: with made-up data as with real ones.
 *
 * @param start called once; what it starts must last until the tests have ended
 */
export function describeServedPage(name: string, start: () => Promise<ServedPage>): void {
  const isSkipped = chromiumPath === undefined;
  describe.skipIf(isSkipped)(`${name} in Chromium${isSkipped ? ' (skipped: no Chromium here)' : ''}`, () => {
    let served: ServedPage;
    let browser: Browser;
    let open: OpenPage;

    beforeAll(async () => {
      served = await start();
      browser = await openBrowser();
    });
    afterAll(() => browser.close());
    beforeEach(async () => {
      open = await openPage(browser, served.address);
    });
    afterEach(() => open.close());

    const reopen = async (options: Parameters<typeof openPage>[2]): Promise<void> => {
      await open.close();
      open = await openPage(browser, served.address, options);
    };
    const instrumentPath = (): string => `/instruments/${encodeURIComponent(served.instrument)}`;

    it('shows each page by its address, with its promise, no complaint and no request elsewhere', async () => {
      for (const [path, text] of await pagesOf(served)) {
        await open.visit(path, text);
        expect(await open.page.getByText(PROMISE).first().isVisible(), path).toBe(true);
        expect(await open.page.title()).toMatch(/^.+ – Tapeproof$/);
      }
      expect(open.complaints).toEqual([]);
      expect(open.requests.filter((url) => !url.startsWith(`${served.address}/`))).toEqual([]);
    });

    // The dark page differs in its colours alone.
    it.each([
      ['light', {}],
      ['dark', { runOnly: ['color-contrast'] }],
    ] as const)('has no serious finding of axe, %s', async (colorScheme, options) => {
      await reopen({ colorScheme, bypassCSP: true });
      for (const [path, text] of await pagesOf(served)) {
        await open.visit(path, text);
        await open.page.addScriptTag({ content: axe.source });
        const { violations } = await open.page.evaluate<{ violations: Violation[] }>(
          `axe.run(${JSON.stringify(options)})`,
        );
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => `${path} ${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual(
          [],
        );
      }
    });

    it('fits a phone, page by page', async () => {
      await reopen({ viewport: PHONE, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
      for (const [path, text] of await pagesOf(served)) {
        await open.visit(path, text);
        const width = await open.page.evaluate<number>('document.documentElement.scrollWidth');
        expect(width, path).toBeLessThanOrEqual(PHONE.width);
      }
    });

    it('leads from a mark on the chart to its audit, with the pointer', async () => {
      // The chart and the list of decisions are seen together.
      await reopen({ viewport: { width: 1_280, height: 2_000 } });
      const { page } = open;
      const decisionId = await newestDecision(served);
      await open.visit(instrumentPath(), 'Price and decisions');
      await page.locator('.chart canvas').first().waitFor();
      const list = page.getByRole('region', { name: 'Decisions', exact: true });
      await list.getByRole('link', { name: `audit ${decisionId}` }).focus();
      const ring = await page.locator('.marker-ring').boundingBox();
      expect(ring).not.toBeNull();
      const [x, y] = [ring!.x + ring!.width / 2, ring!.y + ring!.height / 2];
      await page.mouse.move(x - 3, y);
      await page.mouse.move(x, y);
      await page.getByText(`Click to audit ${decisionId}`).waitFor();
      await page.mouse.click(x, y);
      await page.getByText('From the outcome to the trades').waitFor();
      expect(new URL(page.url()).pathname).toBe(`/audit/${decisionId}`);
      await page.goBack();
      await page.getByText('Price and decisions').waitFor();
    });

    it('leads to an instrument and from there to an audit with the keyboard', async () => {
      const { page } = open;
      await open.visit('/', served.instrument);
      await page.locator('tr', { hasText: served.instrument }).getByRole('link').first().focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: served.instrument }).waitFor();
      await page
        .getByRole('link', { name: /: audit decision-/ })
        .first()
        .focus();
      await page.keyboard.press('Enter');
      await page.getByText('From the outcome to the trades').waitFor();
    });

    it('has the figures of the chart as a table', async () => {
      await open.visit(instrumentPath(), 'Price and decisions');
      await open.page.getByText('The chart as a table').click();
      const rows = open.page.getByRole('region', { name: 'The chart as a table' }).locator('tbody tr');
      expect(await rows.count()).toBeGreaterThan(1);
    });

    it('says that an address names no page or no event', async () => {
      await open.page.goto(`${served.address}/nowhere`);
      await open.page.getByText('The address names no page here').waitFor();
      await open.page.goto(`${served.address}/audit/decision-0-999999999-0`);
      await open.page.getByRole('alert').waitFor();
    });
  });
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}
