import Table from 'cli-table3';
import { sheetOf } from '../../producers/venue-facts.ts';
import { VENUES } from '../../producers/venues/catalogue.ts';
import { anyCcxtSheet } from '../../producers/venues/ccxt/sheet.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';

export function listVenues({ json }: JsonOption): void {
  const list = [...VENUES.map(sheetOf), anyCcxtSheet()];
  print(json, list, () => {
    const table = new Table({
      head: ['venue', 'what', 'trade ids', 'side', 'times', 'missed trades', 'proven on'],
      style: { head: [], border: [] },
      wordWrap: true,
      colWidths: [15, 24, 22, 13, 7, 26, 15],
    });
    for (const { name, description, words } of list) {
      table.push([name, description, words.tradeIds, words.side, words.times, words.backfill, words.provenOn]);
    }
    const notes = list.flatMap(({ name, note }) => (note === null ? [] : [`  ${name}: ${note}`]));
    return [table.toString(), ...(notes.length > 0 ? ['Notes:', ...notes] : []), CLOSING].join('\n');
  });
}

const CLOSING = 'With --json also the addresses, and whether gaps are detected.';
