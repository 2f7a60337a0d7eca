import { shown } from '../../contracts/statement-text.ts';
import { counted } from '../../platform/counted.ts';
import type { CheckedFolder } from './folder-check.adapter.ts';
import type { Publication } from './publish.adapter.ts';

/** A log that was to be published. */
export interface TriedLog {
  readonly topic: string;
  readonly partition: number;
  /** Null while no checkpoint of it is recorded, and where there is a fault. */
  readonly published: Publication | null;
  /** A sentence; null where there is none. */
  readonly fault: string | null;
}

export function publicationsText(logs: readonly TriedLog[], folder: string): string {
  const faults = logs.filter(({ fault }) => fault !== null);
  const published = logs.filter((log) => log.published !== null).length;
  return [
    ...logs.map(({ topic, partition, published: done, fault }) => {
      const name = `${topic}-${partition}`;
      if (fault !== null) return `✗ ${name}: ${fault}`;
      if (done === null) return `· ${name}: no checkpoint yet; "npx tapeproof checkpoints now" makes one`;
      return `✓ ${name}: ${counted(done.size, 'leaf').replace(/leafs$/, 'leaves')}, ${done.added.toLocaleString('en')} of them new`;
    }),
    '',
    faults.length === 0
      ? `${counted(published, 'log')} published in ${folder}.`
      : `${counted(faults.length, 'log')} NOT PUBLISHED.`,
  ].join('\n');
}

/** @param isVerified - whether the log's key was given. */
export function verificationText(logs: readonly CheckedFolder[], isVerified: boolean): string {
  const faults = logs.filter(({ fault }) => fault !== null).length;
  return [
    ...logs.map(({ name, origin, size, fault }) =>
      fault === null
        ? `✓ ${name}: every file leads to the checkpoint of ${shown(origin ?? '')} at size ${String(size)}`
        : `✗ ${name}: ${fault}`,
    ),
    'Not checked:',
    ...(isVerified ? [] : ["  · the log's signatures: give its key with --log-key"]),
    '  · that others are shown the same log: that takes the cosignature of a witness, or a comparison with their copy',
    '',
    faults === 0 ? `${counted(logs.length, 'log')} VALID.` : `${faults} of ${counted(logs.length, 'log')} NOT VALID.`,
  ].join('\n');
}
