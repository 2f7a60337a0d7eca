import type { LogAccess } from '../evaluators/anchor-log.adapter.ts';
import { ENGINE_VERSION } from '../evaluators/configuration.ts';
import { recoverTask, stepAlong, type RecoveredTask } from '../evaluators/recovery.adapter.ts';
import type { Check } from './audit-checks.ts';
import type { Chain } from './chain.ts';
import type { EventLog } from './event-log.ts';

/** The readers of the tape and the anchors for a verification. */
export type VerifyPorts = LogAccess;

/** Events of a chain that another engine version derived: only its build can derive them again. */
export interface NotDerived {
  readonly engineVersion: string;
  /** As its activation names it; 'unknown' where it names none. */
  readonly gitCommit: string;
  readonly eventIds: readonly string[];
}

function eventsOf({ snapshot, results, decision, outcome }: Chain) {
  return [snapshot, ...results, decision, outcome].filter((located) => located !== undefined);
}

/** The events of a chain that this build's engine version derived. */
function ownEvents(chain: Chain) {
  return eventsOf(chain).filter(({ event }) => event.engineVersion === ENGINE_VERSION);
}

/** True when there is something that {@link verify} can derive again. */
export function isVerifiable(chain: Chain): boolean {
  return ownEvents(chain).length > 0;
}

/** The events of a chain that {@link verify} cannot derive again, by engine version. */
export async function notDerivedOf(log: Pick<EventLog, 'activation'>, chain: Chain): Promise<NotDerived[]> {
  const foreign = eventsOf(chain).filter(({ event }) => event.engineVersion !== ENGINE_VERSION);
  const versions = Map.groupBy(foreign, ({ event }) => event.engineVersion);
  const found: NotDerived[] = [];
  for (const [engineVersion, events] of versions) {
    const [first] = events;
    if (first === undefined) continue;
    const activation = await log.activation(first.event);
    const gitCommit = activation?.event.gitCommit ?? 'unknown';
    found.push({ engineVersion, gitCommit, eventIds: events.map(({ event }) => event.eventId) });
  }
  return found;
}

/**
 * Takes the engine's state at the nearest anchor before the chain that is derived again, and steps it over the tape. Compares the hash of
 * every event of the chain that this engine version derived with the one in the log.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function verify(chain: Chain, ports: VerifyPorts): Promise<Check> {
  const own = ownEvents(chain);
  const wanted = new Map(own.map(({ event, hash }) => [event.eventId, hash]));
  const offsets = own.map(({ event }) => event.tape.offset);
  const recovered = await recoverTask(ports, chain.snapshot.event.tape.partition, Math.min(...offsets));
  const { task, anchor } = recovered;
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
    restsOn: `${startOf(recovered)}, the tape since then, and this build's engine`,
    passed: differing === 0 && equal === wanted.size,
    detail: `${equal} of ${wanted.size} events have the same bytes, from ${origin} over ${(task.nextOffset - from).toLocaleString('en')} records`,
  };
}

/** What a derivation rests on, for people. */
function startOf({ anchor, base }: Pick<RecoveredTask, 'anchor' | 'base'>): string {
  if (anchor === undefined || base === undefined) return 'the beginning of the tape';
  const [at, from] = [anchor.manifest.tape.offset, base.manifest.tape.offset];
  if (base === anchor) {
    return `the state that engine version ${anchor.manifest.engineVersion} handed over at ${at}, taken as it is`;
  }
  return `the state at the anchor ${at}, itself derived again from the anchor ${from} before it, whose state is taken as it is`;
}
