import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { SCHEMAS, type RecordName } from './generated/events.ts';

/** The schemas that a tape or a log of the first release was written with: they are read for ever, and read ours. */
const released = JSON.parse(
  readFileSync(new URL('fixtures/released-schemas.json', import.meta.url), 'utf8'),
) as Partial<Record<RecordName, string>>;

describe('a released schema', () => {
  it.each(Object.entries(released) as [RecordName, string][])('of %s and ours read each other', (name, text) => {
    const then = avro.Type.forSchema(JSON.parse(text) as avro.Schema);
    const now = avro.Type.forSchema(JSON.parse(SCHEMAS[name]) as avro.Schema);
    expect(() => now.createResolver(then)).not.toThrow();
    expect(() => then.createResolver(now)).not.toThrow();
  });
});
