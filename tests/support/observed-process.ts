import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Connections } from '../../platform/connections.ts';
import type { LogAction } from '../../platform/log-events.ts';
import { COMPILED, environmentOf } from './command.ts';
import { parsePrometheus, type Sample } from './prometheus-text.ts';
import { until } from './until.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');

export type LogLine = Readonly<Record<string, unknown>>;

const LAST_LINES = 5;

/** A running `tapeproof` command, as an operator sees it: by its log and over HTTP. */
export class ObservedProcess {
  readonly words: readonly string[];
  readonly lines: LogLine[] = [];
  /** Its output on standard error that is not a line of JSON. */
  readonly otherLines: string[] = [];
  /** The greatest value of each metric at any scrape. */
  readonly greatest = new Map<string, number>();
  /** Its metrics at the last scrape, as a scraper gets them. */
  exposition = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** @param build - the folder of the build that is run, by default this one. */
  constructor(
    connections: Connections,
    words: readonly string[],
    environment: Record<string, string> = {},
    build = REPOSITORY,
  ) {
    this.words = words;
    const cli = join(build, 'bin', 'cli.ts');
    this.#child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', cli, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], ...COMPILED, ...environmentOf(connections), ...environment },
    });
    this.#ended = once(this.#child, 'close');
    if (this.#child.stderr === null) throw new Error('there is no standard error');
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#take(line);
    });
  }

  #take(line: string): void {
    try {
      this.lines.push(JSON.parse(line) as LogLine);
    } catch {
      this.otherLines.push(line);
    }
  }

  /** Lines of a kind with these fields, from the `from`-th line on. */
  find(action: LogAction, fields: LogLine = {}, from = 0): LogLine[] {
    return this.lines
      .slice(from)
      .filter((line) => line['event.action'] === action)
      .filter((line) => Object.entries(fields).every(([name, value]) => line[name] === value));
  }

  /** Waits for a line. */
  async line(action: LogAction, fields: LogLine = {}, from = 0): Promise<LogLine> {
    const what = `"${this.words.join(' ')}" logs ${action} ${JSON.stringify(fields)}`;
    await until(what, () => this.find(action, fields, from).length > 0).catch((error: unknown) => {
      throw new Error(`${String(error)}; it logged ${this.#lastWords()}`, { cause: error });
    });
    return this.find(action, fields, from)[0] ?? {};
  }

  async #address(): Promise<string> {
    const { 'url.full': url } = await this.line('http-listening');
    return String(url).replace(/\/metrics$/, '');
  }

  async ask(path: string): Promise<Response> {
    const address = await this.#address();
    if (!this.isAlive) throw new Error(`"${this.words.join(' ')}" ended with ${this.exitCode}: ${this.#lastWords()}`);
    return await fetch(`${address}${path}`);
  }

  /** Its last lines: why a test waits in vain. */
  #lastWords(): string {
    const messages = this.lines.slice(-LAST_LINES).map((line) => String(line['message']));
    return [...messages, ...this.otherLines.slice(-LAST_LINES)].join(' | ');
  }

  async isReady(): Promise<boolean> {
    return (await this.ask('/ready')).status === 200;
  }

  /** All samples, by a parser that refuses what a scraper would. */
  async scrape(): Promise<Sample[]> {
    this.exposition = await (await this.ask('/metrics')).text();
    const families = [...parsePrometheus(this.exposition).values()];
    for (const { name, samples } of families) {
      const values = samples.map(({ value }) => value);
      this.greatest.set(name, Math.max(this.greatest.get(name) ?? 0, ...values));
    }
    return families.flatMap(({ samples }) => samples);
  }

  /** The sum over all series of a metric with these labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return (await this.scrape())
      .filter((sample) => sample.name === name)
      .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** SIGTERM, and awaits the end. @returns the exit code; null where it had to be killed. */
  async stop(): Promise<number | null> {
    if (this.isAlive) this.#child.kill('SIGTERM');
    await this.#ended;
    return this.#child.exitCode;
  }

  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
