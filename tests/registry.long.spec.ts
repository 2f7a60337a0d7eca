import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody, FINGERPRINTS, frame } from '../contracts/codec.ts';
import { Decimal } from '../contracts/decimal.ts';
import { SCHEMAS, type Trade } from '../contracts/generated/events.ts';
import { FORMER_TAPE_SCHEMAS } from '../contracts/former-schemas.ts';
import { subjectOf, TAPE_TOPIC } from '../contracts/topics.ts';
import { ACCEPTED_TAPE_SCHEMAS } from '../evaluators/derive.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { applyTopics, checkTopics } from '../platform/kafka/topics.ts';
import { createLog } from '../platform/log.ts';
import { stopService } from '../stack/main.ts';
import { witnessedRegistry } from './support/witnessed-registry.ts';
import { resetStores, stackConnections, stackOptions, startAgain } from './support/stack.ts';

const SUBJECT = subjectOf(TAPE_TOPIC, 'Trade');
let url: string;

const trade: Trade = {
  venue: 'binance',
  instrument: 'BTC-USDT@binance',
  tradeId: '1',
  eventTime: 1_723_161_255_342_000,
  price: Decimal.of('61837.63'),
  size: Decimal.of('0.02'),
  side: 'SELL',
  receivedAt: 1_723_161_255_342_000,
  source: 'file:0011223344556677',
  suspicious: false,
  conditions: [],
};

beforeAll(async () => {
  await resetStores();
  url = stackConnections().registryUrl;
});

async function ask(method: string, path: string, content?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
  });
  return { status: response.status, body: await response.json() };
}

/** This build's schema of a trade, changed. */
function tradeSchema(change: (fields: Record<string, unknown>[]) => void): string {
  const schema = JSON.parse(SCHEMAS.Trade) as { fields: Record<string, unknown>[] };
  change(schema.fields);
  return JSON.stringify(schema);
}

describe('the registry', () => {
  it('has every schema under its subject, FULL_TRANSITIVE, and registers nothing twice', async () => {
    const registry = createRegistry(url);
    const reports = await registry.register();
    expect(new Set(reports.map(({ action }) => action))).toEqual(new Set(['unchanged']));
    expect(await registry.check()).toEqual([]);
    for (const { subject, record, id } of reports) {
      expect(await ask('GET', `/config/${subject}`)).toEqual({
        status: 200,
        body: { compatibilityLevel: 'FULL_TRANSITIVE' },
      });
      expect(await registry.schemaOf(id)).toMatchObject({ id, name: record, fingerprint: FINGERPRINTS[record] });
    }
  });

  it('sets the rule of compatibility before the first version, so that none slips in', async () => {
    await ask('DELETE', '/subjects/dead.letters-value');
    await ask('DELETE', '/config/dead.letters-value');
    const witness = await witnessedRegistry(url);
    await createRegistry(witness.url).register();
    await witness.close();
    const writes = witness.requests.filter(
      (request) => /^(PUT|POST) /.test(request) && request.includes('dead.letters'),
    );
    expect(writes.filter((request) => !request.startsWith('POST /subjects/dead.letters-value '))).toEqual([
      'PUT /config/dead.letters-value 200',
      'POST /subjects/dead.letters-value/versions 200',
    ]);
  });

  it('refuses a schema that is not compatible both ways', async () => {
    const schema = tradeSchema((fields) => fields.push({ name: 'fee', type: 'double' }));
    expect((await ask('POST', `/subjects/${SUBJECT}/versions`, { schema })).status).toBe(409);
  });

  it('reads what a later version of a schema wrote', async () => {
    const schema = tradeSchema((fields) => fields.push({ name: 'note', type: 'string', default: '' }));
    const answer = await ask('POST', `/subjects/${SUBJECT}/versions`, { schema });
    const { id } = answer.body as { id: number };
    const decode = createTapeDecoder(createRegistry(url));
    const body = Buffer.concat([encodeBody('Trade', trade), Buffer.from([2, 0x61])]);
    const content = await decode({ value: frame(id, body) });
    expect(content).toMatchObject({ kind: 'trade', trade });
    expect(content.kind === 'trade' && content.fingerprint).not.toBe(FINGERPRINTS.Trade);
  });

  it('reads a watermark that is on the tape by its former name', async () => {
    const { schema, fingerprint } = FORMER_TAPE_SCHEMAS.find(({ name }) => name === 'Watermark')!;
    const subject = `${TAPE_TOPIC}-com.tapeproof.events.ClockTick`;
    const { id } = (await ask('POST', `/subjects/${subject}/versions`, { schema })).body as { id: number };
    const watermark = { venue: 'test', instruments: [trade.instrument], eventTime: 1, receivedAt: 2, source: 'test' };
    const decode = createTapeDecoder(createRegistry(url));
    const content = await decode({ value: frame(id, encodeBody('Watermark', watermark)) });
    expect(content).toMatchObject({ kind: 'watermark', watermark, fingerprint });
    expect(ACCEPTED_TAPE_SCHEMAS).toContain(fingerprint);
  });

  it('answers at once what it was asked before, so that no record of a batch waits', async () => {
    const registry = createRegistry(url);
    const id = await registry.idOf(TAPE_TOPIC, 'Trade');
    expect(registry.schemaOf(id)).toBeInstanceOf(Promise);
    expect(await registry.schemaOf(id)).toMatchObject({ name: 'Trade' });
    expect(registry.schemaOf(id)).toMatchObject({ name: 'Trade' });
    const decode = createTapeDecoder(registry);
    expect(decode({ value: frame(id, encodeBody('Trade', trade)) })).toMatchObject({ kind: 'trade', trade });
    registry.forget();
    expect(registry.schemaOf(id)).toBeInstanceOf(Promise);
    // Every process compares all ids again every few seconds.
    expect(await registry.answerOf(id), 'the same answer is parsed once').toBe(await registry.answerOf(id));
  });

  it('reports unusable records, and why', async () => {
    const registry = createRegistry(url);
    const decode = createTapeDecoder(registry);
    const id = await registry.idOf(TAPE_TOPIC, 'Trade');
    const body = encodeBody('Trade', trade);
    expect(await decode({ value: frame(id, body) })).toMatchObject({ kind: 'trade', trade, body });
    const reasonOf = async (value: Buffer | null): Promise<unknown> => {
      const content = await decode({ value });
      return content.kind === 'unusable' && content.reason;
    };
    expect(await reasonOf(null)).toBe('UNDECODABLE');
    expect(await reasonOf(Buffer.from([0]))).toBe('UNDECODABLE');
    expect(await reasonOf(Buffer.from('no frame at all'))).toBe('UNDECODABLE');
    expect(await reasonOf(frame(id, body.subarray(0, 20)))).toBe('UNDECODABLE');
    expect(await reasonOf(frame(id, Buffer.concat([body, Buffer.from([0])])))).toBe('UNDECODABLE');
    expect(await reasonOf(frame(987_654, body))).toBe('UNKNOWN_SCHEMA');
    expect(await reasonOf(frame(await registry.idOf('engine.anchors', 'EngineAnchor'), body))).toBe('UNKNOWN_SCHEMA');
  });
});

describe('a registry that is down', () => {
  beforeAll(() => stopService(stackOptions(), 'registry'));
  afterAll(() => startAgain('registry'));

  it('is an outage, never an unknown schema', async () => {
    const registry = createRegistry(url);
    await expect(registry.schemaOf(1)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(registry.idOf(TAPE_TOPIC, 'Trade')).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(registry.check()).rejects.toMatchObject({ code: 'UNREACHABLE' });
    const decode = createTapeDecoder(registry);
    await expect(decode({ value: frame(1, encodeBody('Trade', trade)) })).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
    await startAgain('registry');
    expect(
      await decode({ value: frame(await registry.idOf(TAPE_TOPIC, 'Trade'), encodeBody('Trade', trade)) }),
    ).toEqual(expect.objectContaining({ kind: 'trade' }));
  });
});

describe('the topics', () => {
  it('are as defined after they are applied, even where a setting had drifted', async () => {
    const kafka = createKafka(stackConnections().kafkaBrokers, 'test', createLog('test', 'silent'));
    expect(await checkTopics(kafka)).toEqual([]);
    const admin = kafka.admin();
    await admin.connect();
    const configEntries = [{ name: 'retention.ms', value: '3600000' }];
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: TAPE_TOPIC, configEntries }] });
    await admin.disconnect();
    expect(await checkTopics(kafka)).toContainEqual({
      topic: TAPE_TOPIC,
      setting: 'retention.ms',
      expected: '-1',
      actual: '3600000',
    });
    const reports = await applyTopics(kafka, 99);
    expect(reports.filter(({ action }) => action !== 'unchanged')).toEqual([
      { topic: TAPE_TOPIC, action: 'settings changed', partitions: 6 },
    ]);
    expect(await checkTopics(kafka)).toEqual([]);
  });
});
