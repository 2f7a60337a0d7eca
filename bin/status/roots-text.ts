import type { HeldOutput } from '../../projectors/main.ts';

/** How many of the engine's roots the stored events agree with. */
export function rootsText(outputs: readonly HeldOutput[]): string {
  if (outputs.length === 0) return 'none';
  const sum = (key: 'agreeing' | 'differing' | 'awaited') => outputs.reduce((total, output) => total + output[key], 0);
  const [agreeing, wrong] = [sum('agreeing'), sum('differing') + sum('awaited')];
  return `${agreeing.toLocaleString('en')} agree${wrong === 0 ? '' : `, ${wrong.toLocaleString('en')} DO NOT`}`;
}
