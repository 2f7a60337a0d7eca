import { STRATEGIES } from '../../evaluators/strategies/catalogue.ts';
import type { Strategy } from '../../evaluators/strategies/strategy.ts';
import { loadStrategy, type OwnStrategy } from '../../proofs/backtest-strategy.ts';

/** Strategies from files, each with a name of its own. @throws TapeproofError USAGE */
export async function loadStrategies(paths: readonly string[]): Promise<readonly OwnStrategy[]> {
  const own: OwnStrategy[] = [];
  for (const path of paths) own.push(await loadStrategy(path, knownStrategies(own)));
  return own;
}

/** Those of the catalogue, and then the own ones. */
export function knownStrategies(own: readonly OwnStrategy[]): readonly Strategy[] {
  return own.length === 0 ? STRATEGIES : [...STRATEGIES, ...own.map(({ strategy }) => strategy)];
}

/** Their files' hashes by name, as a trial names them. */
export function hashesOf(own: readonly OwnStrategy[]): Readonly<Record<string, string>> {
  return Object.fromEntries(own.map(({ strategy, sha256 }) => [strategy.name, sha256]));
}

/** As a report names them. */
export function namesOf(own: readonly OwnStrategy[]) {
  return own.map(({ path, sha256, strategy: { name } }) => ({ name, path, sha256 }));
}
