import { EcsFlat } from '@elastic/ecs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createLog } from '../platform/log.ts';
import { LOG_EVENT_FIELDS } from '../platform/log-event-fields.ts';
import { LOG_EVENTS, type LogAction } from '../platform/log-events.ts';
import { mappingFaults } from '../tests/support/mapping-check.ts';
import { sampleLogLines, type LogLine } from '../tests/support/sample-log-lines.ts';
import { DATA_STREAMS, PIPELINE, type MappingNode } from './index-template.ts';
import { SAVED_SEARCHES } from './saved-searches.ts';

const fileOf = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');
const template = JSON.parse(fileOf('elastic/index-template.json')) as {
  readonly index_patterns: readonly string[];
  readonly template: {
    readonly settings: { readonly index: { readonly default_pipeline: string } };
    readonly mappings: MappingNode;
  };
};
const { mappings } = template.template;
const samples = [...sampleLogLines()].map(([action, line]) => ({ action, line }));
const lineOf = (action: LogAction): LogLine => samples.find((sample) => sample.action === action)?.line ?? {};

/** The fields with a type, by their whole names. */
function leaves(node: MappingNode, path = ''): [name: string, node: MappingNode][] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    child.type === undefined ? leaves(child, `${path}${name}.`) : [[`${path}${name}`, child] as const],
  );
}

describe('the index template', () => {
  it('is for the data streams of the searches and of Filebeat, and names the pipeline', () => {
    expect(template.index_patterns).toEqual([DATA_STREAMS]);
    expect(template.template.settings.index.default_pipeline).toBe(PIPELINE);
    const { 'output.elasticsearch': output } = parse(fileOf('filebeat/filebeat.yml')) as {
      readonly 'output.elasticsearch': { readonly index: string };
    };
    expect(output.index).toMatch(new RegExp(`^${DATA_STREAMS.replace('*', '[a-z]+')}$`));
  });

  it.each(leaves(mappings).filter(([name]) => !name.startsWith('tapeproof.')))(
    '%s has the type of the Elastic Common Schema',
    (name, { type }) => {
      expect(type).toBe((EcsFlat as Readonly<Record<string, { readonly type: string }>>)[name]?.type);
    },
  );
});

describe('a line of each kind', () => {
  it.each(samples)('$action fits the template', ({ action, line }) => {
    expect(line).toMatchObject({ 'event.action': action, 'log.level': LOG_EVENTS[action].level });
    for (const name of LOG_EVENT_FIELDS[action]) expect(line).toHaveProperty([name === 'error' ? 'error.code' : name]);
    expect(mappingFaults(mappings, line)).toEqual([]);
  });

  it.each([
    ['tapeproof.tape.offset', '18540', 'is not a valid long: "18540"'],
    ['tapeproof.tape.offset', 1.5, 'is not a valid long: 1.5'],
    ['tapeproof.probability', 'high', 'is not a valid double: "high"'],
    ['tapeproof.instrument', 7, 'is not a valid keyword: 7'],
    ['@timestamp', 'yesterday', 'is not a valid date: "yesterday"'],
    ['tapeproof.unheard_of', 1, 'is not in the template'],
    ['tapeproof.tape', 'raw.trades-3', 'is not in the template'],
    ['unheard.of', 1, 'is not in the template'],
  ])('is refused with %s: %j', (name, value, fault) => {
    expect(mappingFaults(mappings, { ...lineOf('strategy-executed'), [name]: value })).toEqual([`${name} ${fault}`]);
  });

  it('fits it outside the catalogue of kinds too', () => {
    const lines: LogLine[] = [];
    const log = createLog('engine', 'trace', { write: (line) => lines.push(JSON.parse(line) as LogLine) });
    log.info({ 'tapeproof.source': 'file:1', 'tapeproof.format': 'kraken' }, 'Ingesting');
    log.error({ error: 'no error' }, 'odd');
    for (const line of lines) expect(mappingFaults(mappings, line)).toEqual([]);
  });
});

describe('the saved searches', () => {
  const known = new Set(leaves(mappings).map(([name]) => name));

  it.each(SAVED_SEARCHES)('$title: asks for fields and kinds that exist', ({ query, columns }) => {
    const fields = [...query.matchAll(/([a-z_.]+):/g)].map(([, field = '']) => field);
    expect(fields.length).toBeGreaterThan(0);
    for (const field of [...fields, ...columns]) expect(known, field).toContain(field);
    for (const [, action = ''] of query.matchAll(/"([a-z-]+)"/g)) expect(Object.keys(LOG_EVENTS)).toContain(action);
  });

  it('are objects that Kibana imports, one on each line', () => {
    const objects = fileOf('elastic/saved-searches.ndjson')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly type: string; readonly id: string; readonly references: object[] });
    expect(objects.map(({ type, id }) => [type, id])).toEqual([
      ['index-pattern', 'tapeproof-logs'],
      ...SAVED_SEARCHES.map(({ id }) => ['search', id]),
    ]);
    for (const { references } of objects.slice(1)) expect(references).toMatchObject([{ id: 'tapeproof-logs' }]);
  });
});

describe('the configuration of the OpenTelemetry Collector', () => {
  it('uses only parts that it declares, and takes the fields that a line has', () => {
    type Parts = Readonly<Record<string, unknown>>;
    const { receivers, processors, exporters, service } = parse(fileOf('opentelemetry/collector.yml')) as {
      readonly receivers: Parts;
      readonly processors: Parts;
      readonly exporters: Parts;
      readonly service: { readonly pipelines: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> };
    };
    const declared: Readonly<Record<string, Parts>> = { receivers, processors, exporters };
    for (const pipeline of Object.values(service.pipelines)) {
      for (const [kind, names] of Object.entries(pipeline)) {
        for (const name of names) expect(Object.keys(declared[kind] ?? {})).toContain(name);
      }
    }
    const line = lineOf('strategy-executed');
    const taken = [...JSON.stringify(receivers).matchAll(/attributes(?:\[\\"([^"\\]+)\\"\]|\.(\w+))/g)];
    expect(taken.length).toBeGreaterThan(4);
    for (const [, quoted, plain] of taken) expect(Object.keys(line)).toContain(quoted ?? plain);
    // Its layout is Go's way to write the time of a line.
    expect(line['@timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});
