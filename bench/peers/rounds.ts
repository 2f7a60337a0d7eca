import { contenderOf, type Arena, type Contender, type ContenderName } from './contenders.ts';
import type { Comparison } from './equality.ts';
import { runOf } from './measurement.ts';
import { compareOutputs } from './outputs.ts';
import type { Result, Round } from './report.ts';

/**
 * Lets the contenders derive the tape in turn, as often as the benchmark says, and compares each one's events with
 * those of the first in the same round.
 *
 * @param report - receives a line for people after each run.
 */
export async function runRounds(
  arena: Arena,
  names: readonly ContenderName[],
  report: (progress: string) => void,
): Promise<readonly Round[]> {
  const contenders = names.map((name) => contenderOf(name, arena));
  const rounds: Round[] = [];
  for (let round = 1; round <= arena.bench.runs; round += 1) {
    const results: Result[] = [];
    for (const contender of contenders) {
      const run = runOf(await contender.derive());
      const comparison = await compare(contenders[0], contender, run.events);
      results.push({ contender: contender.name, run, comparison });
      const rate = Math.round(run.tradesPerCpuSecond).toLocaleString('en');
      report(`run ${round} of ${arena.bench.runs}, ${contender.name}: ${rate} trades per CPU-second`);
    }
    rounds.push(results);
  }
  return rounds;
}

/** The first is what the others are compared with. */
async function compare(first: Contender | undefined, contender: Contender, events: number): Promise<Comparison> {
  if (first === undefined || first === contender) return { equalEvents: events, difference: undefined };
  return await compareOutputs(first.outputs, contender.outputs, contender.isPrefix);
}
