import { normalisedInstrument } from '../contracts/instrument-name.ts';
import { TapeproofError } from './errors.ts';

/**
 * The written form of an instrument that a person names, spaces around it aside.
 *
 * @throws TapeproofError USAGE with what is wrong and the form to use
 */
export function namedInstrument(text: string): string {
  const instrument = normalisedInstrument(text.trim());
  if (typeof instrument === 'string') return instrument;
  throw new TapeproofError('USAGE', `T${instrument.detail.slice(1)}.`);
}
