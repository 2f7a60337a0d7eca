import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasSearchNode, SearchNode } from '../tests/support/search-node.ts';
import { sampleLogLines, type LogLine } from '../tests/support/sample-log-lines.ts';
import { PIPELINE } from './index-template.ts';
import { SAVED_SEARCHES } from './saved-searches.ts';

/** The committed files on a real server, by the requests of docs/observability.md. */

const STREAM = 'logs-tapeproof-default';
const START_DEADLINE_MS = 600_000;
const fileOf = (name: string) => readFileSync(join(import.meta.dirname, 'elastic', name), 'utf8');
const samples = sampleLogLines();
const LINES: readonly LogLine[] = [
  ...samples.values(),
  { ...samples.get('strategy-executed'), 'event.id': 'result-3-18540-1' },
  // Resolved by a later trade, and of another decision.
  { ...samples.get('outcome-evaluated'), 'event.id': 'outcome-3-18659-41' },
  {
    ...samples.get('outcome-evaluated'),
    'event.id': 'outcome-3-18659-42',
    'tapeproof.forecast_id': 'decision-3-1-0',
  },
];

/** As Filebeat sends it with `expand_keys`. */
function expanded(line: LogLine): object {
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(line)) {
    const path = name.split('.');
    const last = path.pop() ?? '';
    let node = root;
    for (const part of path) node = (node[part] ??= {}) as Record<string, unknown>;
    node[last] = value;
  }
  return root;
}

interface Indexed {
  readonly items: readonly {
    readonly create: { readonly status: number; readonly error?: { readonly reason: string } };
  }[];
}
interface Found {
  readonly hits: { readonly hits: readonly { readonly fields: Readonly<Record<string, readonly string[]>> }[] };
}

describe.skipIf(!hasSearchNode)(`a search server${hasSearchNode ? '' : ' (skipped: no Java and Maven here)'}`, () => {
  let node: SearchNode;

  beforeAll(async () => {
    node = await SearchNode.start();
    for (const [path, file] of [
      [`/_ingest/pipeline/${PIPELINE}`, 'ingest-pipeline.json'],
      ['/_index_template/tapeproof-logs', 'index-template.json'],
    ] as const) {
      expect(await node.ask('PUT', path, fileOf(file))).toEqual({ acknowledged: true });
    }
  }, START_DEADLINE_MS);
  afterAll(() => node.close());

  /** @returns what it says of each line: undefined where it took it. */
  async function index(lines: readonly object[]): Promise<(string | undefined)[]> {
    const body = lines.map((line) => `{"create":{}}\n${JSON.stringify(line)}\n`).join('');
    const { items } = await node.ask<Indexed>('POST', `/${STREAM}/_bulk?refresh=true`, body);
    return items.map(({ create }) => create.error?.reason);
  }

  async function found(query: string): Promise<Found['hits']['hits']> {
    const { hits } = await node.ask<Found>('POST', `/${STREAM}/_search`, {
      size: 1_000,
      query: { query_string: { query } },
      fields: ['event.id', 'event.action', 'event.ingested', 'tapeproof.decision'],
      _source: false,
    });
    return hits.hits;
  }

  it('takes a line of every kind, as it is written and as Filebeat expands it', async () => {
    expect(await index(LINES)).toEqual(LINES.map(() => undefined));
    expect(await index(LINES.map(expanded))).toEqual(LINES.map(() => undefined));
    const hits = await found('event.kind:event');
    expect(hits).toHaveLength(2 * LINES.length);
    for (const { fields } of hits) expect(fields['event.ingested']).toHaveLength(1);
  });

  it('refuses a value of another type, and a field that nobody listed', async () => {
    const line = samples.get('strategy-executed');
    const refusals = await index([
      { ...line, 'tapeproof.tape.offset': 'the newest' },
      { ...line, 'tapeproof.probability': 'high' },
      { ...line, 'tapeproof.tape': 'raw.trades-3' },
      { ...line, '@timestamp': 'yesterday' },
      { ...line, 'tapeproof.unheard_of': 1 },
      // What a shipper adds elsewhere is kept, and not searched in.
      { ...line, 'container.id': 'abc' },
    ]);
    const pattern = /failed to parse|object mapping for|strict/;
    expect(refusals).toEqual([...Array.from({ length: 5 }, () => expect.stringMatching(pattern) as string), undefined]);
  });

  it('finds one decision with its results and outcomes, and no other', async () => {
    const [search] = SAVED_SEARCHES;
    const ids = (await found(search?.query ?? '')).map(({ fields }) => fields['event.id']?.[0]);
    expect(new Set(ids)).toEqual(new Set(['decision-3-18540-0', 'result-3-18540-1', 'outcome-3-18659-41']));
    expect((await found('tapeproof.decision:"3-1"')).map(({ fields }) => fields['event.id'])).toEqual([
      ['outcome-3-18659-42'],
      ['outcome-3-18659-42'],
    ]);
  });

  it.each(SAVED_SEARCHES)('$title: finds lines', async ({ query }) => {
    expect((await found(query)).length).toBeGreaterThan(0);
  });
});
