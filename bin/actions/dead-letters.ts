import Table from 'cli-table3';
import { originOf } from '../../contracts/dead-letter.ts';
import type { DeadLetter, DeadLetterReason } from '../../contracts/generated/events.ts';
import { counted } from '../../platform/counted.ts';
import { passedOverText } from '../../platform/kafka/foreign-records.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRecordProducer, type RecordProducer } from '../../platform/kafka/producer.ts';
import { openTrustedLog } from '../../platform/kafka/trusted-log.ts';
import { createLog } from '../../platform/log.ts';
import { listProjectors, redeliverTo } from '../../projectors/main.ts';
import { deadLetters } from '../../proofs/dead-letters.ts';
import { retryDeadLetters, type RetriedLetter } from '../../proofs/dead-letter-retry.ts';
import type { JsonOption } from '../commands/options.ts';
import { answeringKafka, connections, print } from '../context.ts';
import { interruption } from '../interruption.ts';
import { withEvents } from '../with-events.ts';

export interface ListDeadLettersOptions extends JsonOption {
  readonly reason?: DeadLetterReason;
  readonly limit: number;
}

export interface RetryDeadLettersOptions extends JsonOption {
  readonly reason?: DeadLetterReason;
  readonly source?: string;
}

export async function listDeadLetters({ reason, limit, json }: ListDeadLettersOptions): Promise<void> {
  await withEvents('dead-letters', async ({ reader, registry, partitions }) => {
    const found = await deadLetters(reader, registry, { partitions, reason, limit });
    const shown = found.letters.map((letter) => ({
      ...{ ...letter, source: sourceOf(letter) },
      payload: letter.payload.toString('base64'),
    }));
    print(json, { ...found, letters: shown }, () => {
      const passedOver = passedOverText(found.passedOver);
      if (found.total === 0) return ['No dead letters.', ...passedOver].join('\n');
      const table = tableOf('detail');
      for (const letter of found.letters) table.push([...placeOf(letter), letter.detail]);
      const count = `${found.letters.length} of ${counted(found.total, 'dead letter')}.`;
      return [table.toString(), count, ...passedOver].join('\n');
    });
  });
}

export async function retryAllDeadLetters({ reason, source, json }: RetryDeadLettersOptions): Promise<void> {
  const where = connections();
  const signal = interruption();
  const log = createLog('dead-letters', 'silent');
  const kafka = await answeringKafka('dead-letters');
  const reader = createLogReader(where.kafkaBrokers);
  let producer: RecordProducer | undefined;
  try {
    const { registry, partitions } = await openTrustedLog({ kafka, reader, registryUrl: where.registryUrl, log });
    producer = createRecordProducer(kafka, registry);
    const names = listProjectors().map(({ name }) => name);
    const done = await retryDeadLetters(
      {
        ...{ reader, registry, producer },
        redeliver: (name, records) =>
          names.includes(name) ? redeliverTo({ name, connections: where, log, signal }, records) : undefined,
      },
      { partitions, reason, source, signal },
    );
    const { letters, passedOver } = done;
    print(json, { ...reportOf(letters), passedOver }, () =>
      [describe(letters), ...passedOverText(passedOver)].join('\n'),
    );
  } finally {
    await Promise.all([producer?.disconnect(), reader.close()]);
  }
}

function reportOf(done: readonly RetriedLetter[]) {
  return {
    ...countsOf(done),
    letters: done.map(({ letter, action, detail }) => {
      const { deadLetterId, reader, reason } = letter;
      return { deadLetterId, source: sourceOf(letter), reader, reason, action, detail };
    }),
  };
}

function sourceOf({ source }: DeadLetter) {
  return { ...source, kind: originOf(source) };
}

function countsOf(done: readonly RetriedLetter[]) {
  const count = (wanted: RetriedLetter['action']): number => done.filter(({ action }) => action === wanted).length;
  return {
    ...{ appended: count('appended'), delivered: count('delivered') },
    ...{ already: count('already'), refused: count('refused') },
  };
}

function describe(done: readonly RetriedLetter[]): string {
  if (done.length === 0) return 'No dead letters.';
  const table = tableOf('action', 'detail');
  for (const { letter, action, detail } of done) table.push([...placeOf(letter), action, detail]);
  const { appended, delivered, already, refused } = countsOf(done);
  return `${table.toString()}\n${counted(done.length, 'dead letter')}: ${appended} appended to the tape, ${delivered} delivered to projectors, ${already} already there, ${refused} refused.`;
}

function tableOf(...further: string[]): Table.Table {
  return new Table({
    head: ['source', 'position', 'reader', 'reason', ...further],
    style: { head: [], border: [] },
  });
}

function placeOf({ source, reader, reason }: DeadLetter): [string, number, string, string] {
  const place = source.partition === null ? source.name : `${source.name}-${source.partition}`;
  return [place, source.position, reader, reason];
}
