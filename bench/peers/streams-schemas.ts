import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The records that the Kafka Streams application reads and writes. */
export const STREAMS_RECORDS = [
  'Trade',
  'IndicatorSnapshot',
  'StrategyResult',
  'ProbabilityDecision',
  'Outcome',
] as const;

const EVENTS_FOLDER = join(import.meta.dirname, '../../contracts/events');
/** Not of the wire format; Java's generated classes would hold a time or decimal as an object for each of them. */
const LEFT_OUT: ReadonlySet<string> = new Set(['doc', 'logicalType', 'precision', 'scale']);

/** Our schemas as one for Avro's code generator, which takes each named type once. */
export function streamsSchemas(): string {
  const named = new Set<string>();
  const records = STREAMS_RECORDS.map((name) => {
    const text = readFileSync(join(EVENTS_FOLDER, `${name}.avsc`), 'utf8');
    return onceNamed(JSON.parse(text), named);
  });
  return JSON.stringify(records, undefined, 2);
}

function onceNamed(schema: unknown, named: Set<string>): unknown {
  if (Array.isArray(schema)) return schema.map((part) => onceNamed(part, named));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { type, name } = schema as { type?: unknown; name?: string };
  if (name !== undefined && (type === 'record' || type === 'enum')) {
    if (named.has(name)) return name;
    named.add(name);
  }
  const kept = Object.entries(schema).filter(([key]) => !LEFT_OUT.has(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, key === 'symbols' ? value : onceNamed(value, named)]));
}
