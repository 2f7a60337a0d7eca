import type { MappingNode } from '../../observability/index-template.ts';
import type { FieldType } from '../../platform/log-field-catalogue.ts';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
/** Stricter than Elasticsearch, which would read "3" as a number and 3 as text. */
const FITS: Readonly<Record<FieldType, Check>> = {
  keyword: isText,
  match_only_text: isText,
  wildcard: isText,
  long: (value) => Number.isSafeInteger(value),
  double: (value) => Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  date: (value) => typeof value === 'string' && INSTANT.test(value),
};

/** What is wrong with a document by a mapping: a field that it does not list, or a value of another type. */
export function mappingFaults(mapping: MappingNode, document: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(document).flatMap(([name, value]) => {
    let node: MappingNode | undefined = mapping;
    for (const part of name.split('.')) node = node?.properties?.[part];
    if (node?.type === undefined) return [`${name} is not in the template`];
    return value === null || FITS[node.type](value)
      ? []
      : [`${name} is not a valid ${node.type}: ${JSON.stringify(value)}`];
  });
}
