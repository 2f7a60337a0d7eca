import Table from 'cli-table3';
import { isoTimeOf } from '../contracts/iso-time.ts';
import { counted } from '../platform/counted.ts';
import type { TapeInstrument, TapeInventory } from './tape-instruments.ts';

/** The inventory of the tape, in words. */
export function inventoryText(inventory: TapeInventory): string {
  const { instruments, recordsNotListed, recordsRefused, recordsUnusable } = inventory;
  const table = new Table({
    head: ['instrument', 'partition', 'records', 'first trade', 'last trade', 'ids', 'gaps', 'cancelled', 'corrected'],
    colAligns: ['left', 'right', 'right', 'left', 'left', 'left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const instrument of instruments) table.push(cellsOf(instrument));
  return [
    instruments.length === 0 ? 'There are no trades on the tape.' : table.toString(),
    ...(instruments.length === 0
      ? []
      : [`${counted(instruments.length, 'instrument')}. A trade that was appended twice is two records here.`]),
    ...(recordsNotListed === 0 ? [] : [`Further instruments: ${counted(recordsNotListed, 'record')}.`]),
    ...(recordsRefused + recordsUnusable === 0
      ? []
      : [`Not counted: ${counted(recordsRefused + recordsUnusable, 'record')} that the engine refuses.`]),
  ].join('\n');
}

function cellsOf(entry: TapeInstrument): string[] {
  const { instrument, displayName, tradeIds, gaps, missingTrades } = entry;
  const number = (value: number): string => value.toLocaleString('en');
  return [
    displayName === instrument ? instrument : `${instrument}\n${displayName}`,
    String(entry.partition),
    number(entry.tradeRecords),
    timeText(entry.firstTradeUs),
    timeText(entry.lastTradeUs),
    tradeIds?.toLowerCase() ?? '',
    gaps === 0 ? '0' : `${number(gaps)} (${counted(missingTrades, 'trade')})`,
    number(entry.cancelled),
    number(entry.corrected),
  ];
}

function timeText(timeUs: number | undefined): string {
  return timeUs === undefined ? '' : isoTimeOf(timeUs);
}
