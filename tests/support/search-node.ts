import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { onPath } from '../../stack/run.ts';

const SOURCES = join(import.meta.dirname, '..', 'search-node');
const MAVEN_DEADLINE_MS = 10 * 60_000;
const LAST_LINES = 10;

/** Java and Maven, which `make test` needs anyway; `npm run check` does not. */
export const hasSearchNode = onPath('java') !== undefined && onPath('mvn') !== undefined;

/**
 * OpenSearch, a fork of Elasticsearch with its REST API: of Elasticsearch itself, Maven Central has neither data streams
 * nor ingest processors. Maven fetches
 * it (46 MB) unless it did so before.
 */
export class SearchNode {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #url: string;

  private constructor(child: ChildProcess, folder: string, port: string) {
    this.#child = child;
    this.#folder = folder;
    this.#url = `http://127.0.0.1:${port}`;
  }

  /** @throws Error with what Maven or the node said, where it does not start. */
  static async start(): Promise<SearchNode> {
    const folder = mkdtempSync(join(tmpdir(), 'tapeproof-search-'));
    const classPath = join(folder, 'class-path');
    const goal = ['dependency:build-classpath', `-Dmdep.outputFile=${classPath}`];
    await promisify(execFile)('mvn', ['-q', '-B', '-f', join(SOURCES, 'pom.xml'), ...goal], {
      timeout: MAVEN_DEADLINE_MS,
    });
    const memory = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const words = ['-cp', readFileSync(classPath, 'utf8'), join(SOURCES, 'SearchNode.java'), folder];
    const child = spawn('java', [...memory, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    return new SearchNode(child, folder, await portOf(child));
  }

  /** Its answer, as JSON, whatever its status. */
  async ask<Answer>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: text }),
    });
    return (await answer.json()) as Answer;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.stdin?.end();
    await ended;
    rmSync(this.#folder, { recursive: true });
  }
}

async function portOf(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('there is no output');
  createInterface({ input: stderr }).on('line', (line) => said.push(line));
  for await (const line of createInterface({ input: stdout })) {
    const [, port] = /^port (\d+)$/.exec(line) ?? [];
    if (port !== undefined) return port;
    said.push(line);
  }
  throw new Error(`the search node does not start: ${said.slice(-LAST_LINES).join('\n')}`);
}
