import type { LogAccess } from '../evaluators/anchor-log.adapter.ts';
import { ENGINE_VERSION } from '../evaluators/configuration.ts';
import { recoverTask, stepAlong } from '../evaluators/recovery.adapter.ts';
import type { Check } from './audit-checks.ts';
import type { Chain } from './chain.ts';

/** The readers of the tape and the anchors for a verification. */
export type VerifyPorts = LogAccess;

/**
 * The events of a chain that this build's engine version derived: another version's events only that one can derive
 * again.
 */
function ownEvents({ snapshot, results, decision, outcome }: Chain) {
  return [snapshot, ...results, decision, outcome].flatMap((located) =>
    located?.event.engineVersion === ENGINE_VERSION ? [located] : [],
  );
}

/** True when there is something that {@link verify} can derive again. */
export function isVerifiable(chain: Chain): boolean {
  return ownEvents(chain).length > 0;
}

/**
 * Restores the engine's state from the nearest anchor before the chain and steps it over the tape. Compares the hash of
 * every event of the chain that this engine version derived with the one in the log.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function verify(chain: Chain, ports: VerifyPorts): Promise<Check> {
  const own = ownEvents(chain);
  const wanted = new Map(own.map(({ event, hash }) => [event.eventId, hash]));
  const offsets = own.map(({ event }) => event.tape.offset);
  const { task, anchor } = await recoverTask(ports, chain.snapshot.event.tape.partition, Math.min(...offsets));
  const from = task.nextOffset;
  let equal = 0;
  let differing = 0;
  for await (const { derived } of stepAlong(ports, task, Math.max(...offsets) + 1)) {
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
    restsOn:
      anchor === undefined
        ? "the whole tape and this build's engine"
        : "the tape since that anchor, its state taken as it is, and this build's engine",
    passed: differing === 0 && equal === wanted.size,
    detail: `${equal} of ${wanted.size} events have the same bytes, from ${origin} over ${(task.nextOffset - from).toLocaleString('en')} records`,
  };
}
