import type { LogAccess } from '../evaluators/anchor-log.adapter.ts';
import { recoverTask, stepAlong } from '../evaluators/recovery.adapter.ts';
import type { Check } from './audit-checks.ts';
import type { Chain } from './chain.ts';

/** What a verification reads the tape and the anchors with. */
export type VerifyPorts = LogAccess;

/**
 * Takes the engine's state from the nearest anchor before the chain, steps it over the tape, and compares the hash of
 * every event of the chain with the one in the log.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function verify(chain: Chain, ports: VerifyPorts): Promise<Check> {
  const { snapshot, results, decision, outcome } = chain;
  const wanted = new Map(
    [snapshot, ...results, decision, outcome].flatMap((located) =>
      located === undefined ? [] : [[located.event.eventId, located.hash] as const],
    ),
  );
  const { partition, offset } = snapshot.event.tape;
  const { task, anchor } = await recoverTask(ports, partition, offset);
  const from = task.nextOffset;
  const to = (outcome?.event.tape.offset ?? offset) + 1;
  let equal = 0;
  let differing = 0;
  for await (const { derived } of stepAlong(ports, task, to)) {
    for (const { event, hash } of derived) {
      const logged = wanted.get(event.eventId);
      if (logged === undefined) continue;
      if (logged === hash.toString('hex')) equal += 1;
      else differing += 1;
    }
  }
  const origin = anchor === undefined ? 'the beginning of the tape' : `the anchor at offset ${from}`;
  return {
    name: 'derived again from the tape',
    passed: differing === 0 && equal === wanted.size,
    detail: `${equal} of ${wanted.size} events have the same bytes, from ${origin} over ${(task.nextOffset - from).toLocaleString('en')} records`,
  };
}
