import packageJson from '../../package.json' with { type: 'json' };
import type { RecordName } from '../../contracts/generated/events.ts';
import { DEFAULT_PARTITIONS, subjectOf, TAPE_TOPIC, TOPICS, type TopicDefinition } from '../../contracts/topics.ts';
import { ROLES, WRITERS, principalOf, type Role } from '../../stack/kafka-principals.ts';
import { HEADER_MEANINGS, headersOf, KEY_MEANINGS, TOPIC_MEANINGS } from './event-meanings.ts';
import { schemaOf } from './event-schemas.ts';

const AVRO = 'application/vnd.apache.avro+json;version=1.9.0';
const KAFKA_BINDING = '0.5.0';
/** Settings that the binding names have its types; Kafka's own are texts. */
const NUMBERS = /^(?:retention\.(?:ms|bytes)|max\.message\.bytes)$/;

const reference = (place: string) => ({ $ref: `#/${place}` });
/** A pointer's word: a slash would end it. */
const wordOf = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** docs/asyncapi.json: every topic with its records, who appends to it and its settings, as AsyncAPI 3. */
export function asyncApiText(): string {
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Tapeproof: events',
      version: packageJson.version,
      description:
        'The topics of Tapeproof and the records in them. A value is the byte 0, the id of its schema in the registry in four bytes, and its body in Avro.',
      license: { name: packageJson.license },
    },
    defaultContentType: 'application/vnd.apache.avro',
    channels: Object.fromEntries(TOPICS.map((topic) => [topic.name, channelOf(topic)])),
    operations: Object.fromEntries(ROLES.flatMap(operationsOf)),
    components: {
      messages: Object.fromEntries(
        TOPICS.flatMap((topic) => topic.records.map((record) => [record, messageOf(topic, record)])),
      ),
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function channelOf({ name, records, settings }: TopicDefinition): object {
  const topicConfiguration = Object.entries(settings).map(([setting, value]) => [
    setting,
    setting === 'cleanup.policy' ? value.split(',') : NUMBERS.test(setting) ? Number(value) : value,
  ]);
  return {
    address: name,
    description: TOPIC_MEANINGS[name],
    messages: Object.fromEntries(records.map((record) => [record, reference(`components/messages/${record}`)])),
    bindings: {
      kafka: {
        topic: name,
        partitions: DEFAULT_PARTITIONS,
        topicConfiguration: Object.fromEntries(topicConfiguration) as unknown,
        bindingVersion: KAFKA_BINDING,
      },
    },
  };
}

/** What a principal appends: the access rules follow from the same list. Everybody may read every topic. */
function operationsOf(role: Role): [name: string, operation: object][] {
  return TOPICS.filter(({ name }) => WRITERS[name].includes(role)).map(({ name }) => [
    `${principalOf(role)}.appends.${name}`,
    {
      action: 'send',
      channel: reference(`channels/${wordOf(name)}`),
      summary: `${principalOf(role)} appends to ${name}.`,
    },
  ]);
}

function messageOf({ name }: TopicDefinition, record: RecordName): object {
  const schema = schemaOf(record);
  const headers = headersOf(name, record);
  return {
    name: record,
    title: record,
    summary: schema.doc,
    description: `Subject in the registry: ${subjectOf(name, record)}.`,
    ...(headers.length === 0
      ? {}
      : {
          headers: {
            type: 'object',
            properties: Object.fromEntries(
              headers.map((header) => [header, { type: 'string', description: HEADER_MEANINGS[header] }]),
            ),
          },
        }),
    payload: { schemaFormat: AVRO, schema },
    bindings: {
      kafka: {
        ...(KEY_MEANINGS[record] === null ? {} : { key: { type: 'string', description: KEY_MEANINGS[record] } }),
        schemaIdLocation: 'payload',
        schemaIdPayloadEncoding: '4',
        schemaLookupStrategy: name === TAPE_TOPIC ? 'TopicRecordNameStrategy' : 'TopicNameStrategy',
        bindingVersion: KAFKA_BINDING,
      },
    },
  };
}
