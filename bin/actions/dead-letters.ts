import Table from 'cli-table3';
import type { DeadLetterReason } from '../../contracts/generated/events.ts';
import { counted } from '../../platform/counted.ts';
import { deadLetters, type DeadLetterList } from '../../proofs/dead-letters.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';
import { withEvents } from '../with-events.ts';

export interface DeadLettersOptions extends JsonOption {
  readonly reason?: DeadLetterReason;
  readonly limit: number;
}

export async function listDeadLetters({ reason, limit, json }: DeadLettersOptions): Promise<void> {
  await withEvents('dead-letters', async ({ reader, registry, partitions }) => {
    const found = await deadLetters(reader, registry, { partitions, reason, limit });
    const inBase64 = found.letters.map((letter) => ({ ...letter, payload: letter.payload.toString('base64') }));
    print(json, { ...found, letters: inBase64 }, () => deadLettersText(found));
  });
}

function deadLettersText({ total, letters }: DeadLetterList): string {
  if (total === 0) return 'No dead letters.';
  const table = new Table({
    head: ['source', 'position', 'reader', 'reason', 'detail'],
    style: { head: [], border: [] },
  });
  for (const { source, reader, reason, detail } of letters) {
    const place = source.partition === null ? source.name : `${source.name}-${source.partition}`;
    table.push([place, source.position, reader, reason, detail]);
  }
  return `${table.toString()}\n${letters.length} of ${counted(total, 'dead letter')}.`;
}
