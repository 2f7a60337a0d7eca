import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { until } from './until.ts';

const PROGRAM = 'chromium';
const SWITCHES = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--remote-debugging-port=0'],
];

export const hasChromium = spawnSync(PROGRAM, ['--version']).status === 0;

/** One page in a real browser, driven by the Chrome DevTools Protocol. */
export class BrowserPage {
  /** URLs that the page asked for, and what its console and its content security policy said. */
  readonly requests: string[] = [];
  readonly complaints: string[] = [];
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #sessionId: string | undefined;
  #sent = 0;

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    [this.#child, this.#profile, this.#socket] = [child, profile, socket];
    socket.on('message', (data: Buffer) => {
      this.#take(JSON.parse(data.toString()) as Answer);
    });
  }

  static async open(url: string): Promise<BrowserPage> {
    const profile = mkdtempSync(join(tmpdir(), 'tapeproof-chromium-'));
    const child = spawn(PROGRAM, [...SWITCHES, `--user-data-dir=${profile}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const address = (): string | undefined => /DevTools listening on (\S+)/.exec(said)?.[1];
    await until('Chromium listens', () => address() !== undefined);
    const socket = new WebSocket(address() ?? '');
    await once(socket, 'open');
    const page = new BrowserPage(child, profile, socket);
    const { targetId } = await page.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
    const attached = await page.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
    page.#sessionId = attached.sessionId;
    for (const domain of ['Page', 'Network', 'Log', 'Runtime', 'DOM']) await page.send(`${domain}.enable`);
    await page.send('Page.navigate', { url });
    await until('the page is loaded', () => page.evaluate<boolean>('document.readyState === "complete"'));
    return page;
  }

  async send<Result>(method: string, params: object = {}): Promise<Result> {
    const id = (this.#sent += 1);
    const answer = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#sessionId }));
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as Result;
  }

  /** The value of an expression in the page. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result } = await this.send<{ result: { value: Value } }>('Runtime.evaluate', {
      ...{ expression, awaitPromise: true, returnByValue: true },
    });
    return result.value;
  }

  async chooseFile(selector: string, path: string): Promise<void> {
    const { result } = await this.send<{ result: { objectId: string } }>('Runtime.evaluate', {
      expression: `document.querySelector(${JSON.stringify(selector)})`,
    });
    await this.send('DOM.setFileInputFiles', { files: [path], objectId: result.objectId });
  }

  async press(key: string, text?: string): Promise<void> {
    const code = key === 'Tab' ? 9 : 13;
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, code: key, windowsVirtualKeyCode: code, text });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key, windowsVirtualKeyCode: code });
  }

  async close(): Promise<void> {
    this.#socket.close();
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }

  #take(answer: Answer): void {
    const { id, method, params } = answer;
    if (id !== undefined) this.#answers.get(id)?.(answer);
    if (method === 'Network.requestWillBeSent') this.requests.push(params?.request?.url ?? '');
    if (method === 'Log.entryAdded') this.complaints.push(params?.entry?.text ?? '');
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params));
  }
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly request?: { readonly url: string }; readonly entry?: { readonly text: string } };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}
