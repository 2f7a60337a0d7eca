/**
 * Takes a picture of each page, light and dark and on a phone: `npm run screenshots -- [FOLDER] [ADDRESS]`. Without an
 * address, of the built page with the fixtures' data.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openBrowser } from './browser.ts';
import { FixtureServer } from './fixture-server.ts';

const [folder = join(import.meta.dirname, '..', '..', 'docs', 'pictures'), givenAddress] = process.argv.slice(2);
const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 360, height: 780 };
/** A longer page is cut: the README shows its beginning. */
const HEIGHT_PX_MAX = 1_500;
/** Added up from the tape, or from the history, and so the last answers of their pages. */
const LAST_ANSWERS: Readonly<Record<string, string>> = { instrument: '/profile', scoreboard: '/skill' };
const VIEWS = [
  { name: 'light', colorScheme: 'light', viewport: DESKTOP },
  { name: 'dark', colorScheme: 'dark', viewport: DESKTOP },
  { name: 'phone', colorScheme: 'light', viewport: PHONE },
] as const;

const fixtures = givenAddress === undefined ? await FixtureServer.start() : undefined;
const browser = await openBrowser();
try {
  await mkdir(folder, { recursive: true });
  const address = givenAddress ?? fixtures?.address ?? '';
  for (const { name: view, colorScheme, viewport } of VIEWS) {
    const context = await browser.newContext({
      colorScheme,
      viewport,
      deviceScaleFactor: 1.5,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    for (const [name, path] of await pagesOf(address)) {
      const last = LAST_ANSWERS[name];
      const answered =
        last === undefined
          ? undefined
          : page.waitForResponse((answer) => new URL(answer.url()).pathname.endsWith(last));
      await page.goto(address + path);
      await answered;
      await page.locator('.card').first().waitFor();
      await page.locator('text=Loading …').first().waitFor({ state: 'detached' });
      if (name === 'instrument') await page.locator('.chart canvas').first().waitFor();
      await page.evaluate('document.fonts.ready');
      const pageHeight = await page.evaluate<number>('document.documentElement.scrollHeight');
      const clip = { x: 0, y: 0, width: viewport.width, height: Math.min(pageHeight, HEIGHT_PX_MAX) };
      await page.screenshot({ path: join(folder, `${name}-${view}.png`), fullPage: true, clip });
    }
    await context.close();
  }
} finally {
  await browser.close();
  await fixtures?.close();
}

/** The pages with an instrument and a decision that the server has. */
async function pagesOf(address: string): Promise<readonly (readonly [string, string])[]> {
  const answerOf = async <Answer>(path: string): Promise<Answer> =>
    (await (await fetch(`${address}/api/v1${path}`)).json()) as Answer;
  const { instruments } = await answerOf<{ instruments: { state: { instrument: string } }[] }>('/instruments');
  const instrument = encodeURIComponent(instruments[0]?.state.instrument ?? '');
  const { decisions } = await answerOf<{ decisions: { decisionId: string }[] }>(
    `/instruments/${instrument}/decisions?limit=1&status=HIT`,
  );
  return [
    ['live', '/'],
    ['instrument', `/instruments/${instrument}`],
    ['scoreboard', '/scoreboard'],
    ['audit', `/audit/${decisions[0]?.decisionId ?? ''}`],
    ['pipeline', '/pipeline'],
  ];
}
