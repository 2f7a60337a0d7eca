import { SET_ASIDE_WORDS, type SetAsideKind } from '../evaluators/trade-counts.ts';
import type { TapeCounts, TradesOfInstrument } from './set-aside.ts';

/** Instruments that are listed by name; further ones are only counted. */
const INSTRUMENTS_SHOWN_MAX = 20;

/** The trades set aside, one line for each instrument, and the meaning of the words; empty when all trades count. */
export function setAsideText(instruments: readonly TradesOfInstrument[]): string[] {
  const touched = instruments.filter(
    ({ setAside, waiting, silence }) => Object.keys(setAside).length > 0 || waiting > 0 || silence !== null,
  );
  if (touched.length === 0) return [];
  const kinds = new Set(touched.flatMap(({ setAside }) => Object.keys(setAside) as SetAsideKind[]));
  const more = touched.length - INSTRUMENTS_SHOWN_MAX;
  return [
    'Set aside:',
    ...touched.slice(0, INSTRUMENTS_SHOWN_MAX).map(lineOf),
    ...(more > 0 ? [`  and ${more.toLocaleString('en')} more instruments: --json lists them all`] : []),
    ...[...kinds].map((kind) => `  ${kind} = ${SET_ASIDE_WORDS[kind]}`),
  ];
}

/** Like {@link setAsideText}, for a tape: it also names the partitions where it could not count. */
export function tapeCountsText({ instruments, notCounted }: TapeCounts): string[] {
  return [
    ...setAsideText(instruments),
    ...(notCounted.length === 0
      ? []
      : [
          `Not counted: partition ${notCounted.join(', ')} of the tape, where another engine version is in force or none: "npx tapeproof activate" puts this one in force.`,
        ]),
  ];
}

function lineOf({ instrument, counted, setAside, waiting, silence }: TradesOfInstrument): string {
  const counts = Object.entries(setAside).map(([kind, count]) => `${kind} ${count.toLocaleString('en')}`);
  return [
    `  ${instrument.padEnd(24)} ${counted.toLocaleString('en')} counted`,
    ...counts,
    ...(waiting > 0 ? [`${waiting.toLocaleString('en')} waiting for others to confirm their time`] : []),
    ...(silence === null ? [] : [`nothing is decided: ${silence}`]),
  ].join(', ');
}
