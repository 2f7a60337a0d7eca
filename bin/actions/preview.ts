import Table from 'cli-table3';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import { preview, type Preview } from '../../producers/preview.adapter.ts';
import type { FileOptions } from '../../producers/file-rows.adapter.ts';
import { print } from '../context.ts';

const RAW_CHARACTERS_SHOWN = 60;

/** Shows the first rows of a file as understood; nothing is appended. */
export async function printPreview(options: FileOptions, json: true | undefined): Promise<void> {
  const shown = await preview(options);
  print(json, shown, () => previewText(shown));
}

/** A preview, in words and a table. */
export function previewText({ path, container, format, delimiter, header, times, rows }: Preview): string {
  const table = new Table({
    head: ['line', 'time (UTC)', 'instrument', 'price', 'size', 'taker', 'id', 'conditions'],
    style: { head: [], border: [] },
  });
  for (const { line, raw, trade, refusal } of rows) {
    if (trade !== null) {
      const { eventTime, instrument, price, size, side, tradeId, suspicious, conditions } = trade;
      const marks = [...(suspicious ? ['suspicious'] : []), ...conditions].join(' ');
      table.push([line, isoTimeOf(eventTime), instrument, price.toString(), size.toString(), side, tradeId, marks]);
    } else {
      const why = refusal === null ? 'not a trade' : `refused, ${refusal.reason}: ${refusal.detail}`;
      const begun = raw.length > RAW_CHARACTERS_SHOWN ? `${raw.slice(0, RAW_CHARACTERS_SHOWN)}…` : raw;
      table.push([line, { colSpan: 7, content: `${JSON.stringify(begun)}\n${why}` }]);
    }
  }
  return [
    `${path}: ${format}, ${container}`,
    ...(delimiter === null ? [] : [`  columns separated by ${JSON.stringify(delimiter)}, times in ${times}`]),
    ...(delimiter === null ? [] : [header === null ? '  no header' : `  header ${JSON.stringify(header.trim())}`]),
    table.toString(),
  ].join('\n');
}
