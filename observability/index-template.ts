import { BASE_FIELDS, LOG_FIELDS, type FieldDefinition, type FieldType } from '../platform/log-field-catalogue.ts';

/** A field or a group of fields in a mapping of Elasticsearch. */
export interface MappingNode {
  readonly type?: FieldType;
  readonly ignore_above?: number;
  readonly dynamic?: 'strict' | false;
  readonly properties?: Readonly<Record<string, MappingNode>>;
}

export const PIPELINE = 'tapeproof-logs';
export const DATA_STREAMS = 'logs-tapeproof-*';
/** Above Elasticsearch's own template for `logs-*-*`, which has 100. */
const PRIORITY = 200;
/** As in the Elastic Common Schema: a longer text is kept, and not searched in. */
const IGNORE_ABOVE = 1_024;

/** What the ingest pipeline and the shipper add. */
const ADDED_FIELDS = {
  'event.ingested': { type: 'date', meaning: 'When Elasticsearch took the line.' },
  'tapeproof.decision': {
    type: 'keyword',
    meaning: 'The decision that the line belongs to: partition-offset of the tape.',
  },
  'host.name': { type: 'keyword', meaning: 'The machine.' },
  'log.file.path': { type: 'keyword', meaning: 'The file that the line was read from.' },
} as const satisfies Readonly<Record<string, FieldDefinition>>;

/**
 * The template of the data streams: a value of another type than the catalogue says is refused, and so is a field
 * `tapeproof.*` that it does not list. What a shipper adds elsewhere is kept, and not indexed.
 */
export function indexTemplate(): object {
  return {
    index_patterns: [DATA_STREAMS],
    priority: PRIORITY,
    data_stream: {},
    template: { settings: { index: { default_pipeline: PIPELINE } }, mappings: mappings() },
    _meta: { description: 'Log lines of Tapeproof. Generated from platform/log-field-catalogue.ts.' },
  };
}

export function mappings(): MappingNode {
  const root: Record<string, MutableNode> = {};
  const fields = Object.entries<FieldDefinition>({ ...BASE_FIELDS, ...LOG_FIELDS, ...ADDED_FIELDS });
  for (const [name, { type }] of fields.sort(([left], [right]) => (left < right ? -1 : 1))) {
    const path = name.split('.');
    const last = path.pop() ?? '';
    let properties = root;
    for (const part of path) properties = (properties[part] ??= { properties: {} }).properties ??= {};
    properties[last] = type === 'keyword' ? { type, ignore_above: IGNORE_ABOVE } : { type };
  }
  root['tapeproof'] = { dynamic: 'strict', ...root['tapeproof'] };
  return { dynamic: false, properties: root };
}

interface MutableNode extends MappingNode {
  properties?: Record<string, MutableNode>;
}

/**
 * What Elasticsearch does with each line: the time of its arrival, and `tapeproof.decision`, by which all lines about
 * one decision are found: its strategies' results, itself and its outcomes.
 */
export function ingestPipeline(): object {
  // A shipper may send `{"event.id": …}` as it is written, and processors see only `{"event": {"id": …}}`.
  const expanded = ['event.id', 'tapeproof.forecast_id'].map((field) => ({
    dot_expander: { if: `ctx.containsKey('${field}')`, field },
  }));
  // The first that says so: an outcome names its forecast, a result and a decision are it.
  const found = ['tapeproof.forecast_id', 'event.id'].map((field) => ({
    grok: {
      if: 'ctx.tapeproof?.decision == null',
      field,
      patterns: ['^(?:result|decision)-%{PLACE:tapeproof.decision}-\\d+$'],
      pattern_definitions: { PLACE: '\\d+-\\d+' },
      ignore_missing: true,
      ignore_failure: true,
    },
  }));
  return {
    description: 'Log lines of Tapeproof: when they arrived, and the decision that they belong to.',
    processors: [{ set: { field: 'event.ingested', value: '{{{_ingest.timestamp}}}' } }, ...expanded, ...found],
  };
}
