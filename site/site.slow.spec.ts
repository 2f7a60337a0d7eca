import axe from 'axe-core';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, openBrowser } from '../tests/dashboard/browser.ts';
import { openPage } from '../tests/dashboard/page-suite.ts';

const DIST_FOLDER = join(import.meta.dirname, 'dist');
const PHONE = { width: 360, height: 780 };
const DESKTOP = { width: 1280, height: 860 };
const PAGES = ['/', '/glossary.html', '/connections.html'];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

const isSkipped = chromiumPath === undefined || !existsSync(join(DIST_FOLDER, 'index.html'));

describe.skipIf(isSkipped)(
  `the built site in Chromium${isSkipped ? ' (skipped: no Chromium here, or "make site" has not built it)' : ''}`,
  () => {
    let server: Server;
    let browser: Browser;
    let address: string;

    beforeAll(async () => {
      server = createServer((request, response) => {
        const path = new URL(request.url ?? '/', 'http://localhost').pathname;
        readFile(join(DIST_FOLDER, path === '/' ? 'index.html' : decodeURIComponent(path))).then(
          (bytes) => {
            response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/html' }).end(bytes);
          },
          () => {
            response.writeHead(404).end();
          },
        );
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      browser = await openBrowser();
    });
    afterAll(async () => {
      await browser.close();
      server.close();
    });

    // Dark, only the colours differ; on a phone all but them, and their rule takes the longest.
    it.each([
      ['light', DESKTOP, {}],
      ['dark', DESKTOP, { runOnly: ['color-contrast'] }],
      ['light', PHONE, { rules: { 'color-contrast': { enabled: false } } }],
    ] as const)('has no serious finding of axe and asks nobody else, %s, %o', async (colorScheme, viewport, rules) => {
      const { page, complaints, requests, close } = await openPage(browser, address, { colorScheme, viewport });
      for (const path of PAGES) {
        await page.goto(address + path, { waitUntil: 'load' });
        await page.locator('h1').first().waitFor();
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect(width, `${path} is as wide as the screen`).toBeLessThanOrEqual(viewport.width);
        await page.addScriptTag({ content: axe.source });
        const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(${JSON.stringify(rules)})`);
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => [path, id, nodes.map(({ html }) => html).slice(0, 5)])).toEqual([]);
      }
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith(address) && !url.startsWith('data:'))).toEqual([]);
      await close();
    });

    it('finds a word with its search, without a service', async () => {
      const { page, requests, close } = await openPage(browser, address, { viewport: DESKTOP });
      await page.goto(address);
      await page.getByText('Search').first().click();
      await page.getByPlaceholder('Search').fill('overlap weight');
      const hit = page.locator('a[href*="/glossary"]').filter({ hasText: /overlap weight/i });
      await hit.first().waitFor();
      expect(requests.filter((url) => !url.startsWith(address))).toEqual([]);
      await close();
    });
  },
);
