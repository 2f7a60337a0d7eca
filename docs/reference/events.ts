import type { RecordName } from '../../contracts/generated/events.ts';
import { subjectOf, TOPICS, type TopicDefinition } from '../../contracts/topics.ts';
import { principalOf, WRITERS } from '../../stack/kafka-principals.ts';
import { HEADER_MEANINGS, headersOf, KEY_MEANINGS, TOPIC_MEANINGS } from './event-meanings.ts';
import { fieldsOf, schemaOf, typesWithin, wordsOf, type NamedSchema } from './event-schemas.ts';
import { tableOf } from './table.ts';

/** docs/events.md: asyncapi.json for people. Each topic, its records, their fields, and the types within them. */
export function eventsPage(): string {
  const records = TOPICS.flatMap((topic) => topic.records);
  return `# Events

<!-- Generated from contracts/topics.ts and contracts/events by \`npm run generate\`. Do not edit. -->

Everything that Tapeproof knows is a record in one of these topics. A record is a stored fact: it is never edited. For programs
the same is in [asyncapi.json](asyncapi.json) (AsyncAPI 3, with the Avro schemas); the schemas themselves are in
\`contracts/events\`, and \`npx tapeproof contracts register\` puts them into the registry.

A value is framed as by Confluent's serializers: the byte 0, the id of the writer's schema in the registry in four bytes, big
endian, then the body in Avro. Kafka's time stamp of a record is its market time. A *time* is microseconds since 1970 UTC, a
*decimal* an exact number with 12 digits after the point. Readers accept what every earlier release wrote: a schema only grows.

${tableOf(
  ['topic', 'records', 'appended by', 'meaning'],
  TOPICS.map(({ name, records: own }) => [
    `[\`${name}\`](#${anchorOf(name)})`,
    own.map((record) => `[${record}](#${anchorOf(record)})`).join(', '),
    WRITERS[name].map((role) => `\`${principalOf(role)}\``).join(', '),
    TOPIC_MEANINGS[name],
  ]),
)}

Who appends is by the access rules of a [secured stack](security.md#kafka); everybody may read.

${TOPICS.map(topicSection).join('\n\n')}

## Types

${sharedTypes(records).map(typeSection).join('\n\n')}
`;
}

/** The anchor of a heading that is a topic or a type. */
function anchorOf(name: string): string {
  return name.toLowerCase().replaceAll('.', '');
}

function topicSection(topic: TopicDefinition): string {
  const settings = Object.entries(topic.settings).map(([name, value]) => `\`${name}=${value}\``);
  return `## ${topic.name}

${TOPIC_MEANINGS[topic.name]} Settings: ${settings.join(', ')}.

${topic.records.map((record) => recordSection(topic, record)).join('\n\n')}`;
}

function recordSection({ name }: TopicDefinition, record: RecordName): string {
  const schema = schemaOf(record);
  const headers = headersOf(name, record).map((header) => `\`${header}\` (${HEADER_MEANINGS[header]})`);
  const facts = [
    `Key: ${KEY_MEANINGS[record] ?? 'none'}.`,
    ...(headers.length === 0 ? [] : [`Headers: ${headers.join('; ')}.`]),
    `Subject in the registry: \`${subjectOf(name, record)}\`.`,
  ];
  return `### ${record}\n\n${prose(schema.doc ?? '')} ${facts.join(' ')}\n\n${fieldTable(schema)}`;
}

function fieldTable(schema: NamedSchema): string {
  return tableOf(
    ['field', 'type', 'meaning'],
    fieldsOf(schema).map(({ name, type, doc = '' }) => [`\`${name}\``, linked(type), prose(doc)]),
  );
}

/** A type in words; one that the page describes is a link. */
function linked(type: Parameters<typeof wordsOf>[0]): string {
  return wordsOf(type).replaceAll(/\b[A-Z]\w+/g, (name) => `[${name}](#${anchorOf(name)})`);
}

/** The types within the records, each once; schemas that share one describe it alike. */
function sharedTypes(records: readonly RecordName[]): NamedSchema[] {
  const types = new Map<string, NamedSchema>();
  for (const record of records) {
    for (const type of typesWithin(schemaOf(record)).slice(1)) {
      if (type.name !== undefined && !types.has(type.name)) types.set(type.name, type);
    }
  }
  return [...types.values()];
}

function typeSection(type: NamedSchema): string {
  const body =
    type.symbols === undefined
      ? fieldTable(type)
      : `One of ${type.symbols.map((symbol) => `\`${symbol}\``).join(', ')}.`;
  return `### ${type.name ?? ''}\n\n${prose(type.doc ?? '')}\n\n${body}`;
}

/** Docs are plain text: what Markdown would take for markup is shown as it is. */
function prose(text: string): string {
  return text.replaceAll(/[<*]/g, '\\$&');
}
