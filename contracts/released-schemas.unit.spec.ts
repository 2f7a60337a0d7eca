import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { SCHEMAS } from './generated/events.ts';

/** The schemas that a tape or a log of the first release was written with: they are read for ever, and read ours. */
const released = JSON.parse(
  readFileSync(new URL('fixtures/released-schemas.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>;

const current = Object.values(SCHEMAS).map((text) => JSON.parse(text) as avro.schema.RecordType);

describe('a released schema', () => {
  it.each(Object.entries(released))(
    'of %s is read by ours, and reads ours where the name is the same',
    (name, text) => {
      const schema = current.find((each) => [each.name, ...(each.aliases ?? [])].includes(name));
      const then = avro.Type.forSchema(JSON.parse(text) as avro.Schema);
      const now = avro.Type.forSchema(schema as avro.Schema);
      expect(() => now.createResolver(then)).not.toThrow();
      if (schema?.name === name) expect(() => then.createResolver(now)).not.toThrow();
    },
  );
});
