import { sha256Hex } from '../contracts/codec.ts';
import { DECIMAL_SCALE } from '../contracts/decimal.ts';
import type { EventTypes } from '../contracts/generated/events.ts';
import { Amendments } from '../evaluators/amendments.ts';
import {
  anchorsWithin,
  liesOnTape,
  readState,
  type LogAccess,
  type StoredAnchor,
} from '../evaluators/anchor-log.adapter.ts';
import { STATE_FORMAT } from '../evaluators/anchor.ts';
import { exactOf, unitsAt } from '../evaluators/exact-decimals.ts';
import type { InstrumentState } from '../evaluators/instrument.ts';
import { PageLog } from '../evaluators/page-log.adapter.ts';
import { SeenTrades } from '../evaluators/seen-trades.ts';
import { fromPagedState, fromSomePages } from '../evaluators/state-pages.ts';
import type { TaskState } from '../evaluators/task-state.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { lastAnchor, type ActivationPorts } from './activation-log.ts';
import type { SessionSums, SumsBefore } from './sums-before.ts';

/**
 * What an instrument's trades add up to before the last anchor at or before a snapshot, by the state of that anchor: read
 * as it is, held only to the hash in its manifest and to the tape record that this names. Undefined where that state
 * is not one of this engine version and of the snapshot's configuration, begins before the snapshot's first trade, or
 * cannot be continued without what lies before it.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function sumsBefore(
  access: Omit<LogAccess, 'decode'>,
  snapshot: EventTypes['IndicatorSnapshot'],
): Promise<SumsBefore | undefined> {
  const anchor = await anchorFor(access, snapshot);
  if (anchor === undefined) return undefined;
  const state = await instrumentAt(
    { ...access, decode: createTapeDecoder(access.registry) },
    anchor,
    snapshot.instrument,
  );
  // Trades that wait for a proof of their time are in no sum yet.
  if (state === undefined || state.clock.waiting.length > 0 || state.formerTradeIds !== null) return undefined;
  const seen = new SeenTrades(state);
  const amendments = new Amendments(state.amendments);
  return {
    offset: anchor.manifest.tape.offset,
    has: (tradeId, eventTimeUs) => seen.has(tradeId, eventTimeUs),
    isCancelled: (tradeId, eventTimeUs) => amendments.isCancelled(tradeId, eventTimeUs),
    sessionOf: (index) => sumsOf(state, index),
  };
}

async function anchorFor(
  access: ActivationPorts & Omit<LogAccess, 'decode'>,
  { tape: { partition }, firstOffset, lastOffset, configHash, engineVersion }: EventTypes['IndicatorSnapshot'],
): Promise<StoredAnchor | undefined> {
  const last = await lastAnchor(access, partition, ({ tape }) => tape.offset <= lastOffset);
  if (last === undefined) return undefined;
  for await (const anchor of anchorsWithin(access, partition, last.logOffset, last.logOffset + 1)) {
    const { manifest } = anchor;
    const isOfConfiguration = manifest.configHash === configHash && manifest.engineVersion === engineVersion;
    return isOfConfiguration && manifest.tape.offset > firstOffset ? anchor : undefined;
  }
  return undefined;
}

/** What a snapshot's figures need of an instrument's state. Its pending forecasts are most of it, and are not read. */
type SumsState = Pick<InstrumentState, 'name' | 'clock' | 'formerTradeIds' | 'identities' | 'amendments' | 'sessions'>;

async function instrumentAt(access: LogAccess, anchor: StoredAnchor, name: string): Promise<SumsState | undefined> {
  if (!(await liesOnTape(access, anchor))) return undefined;
  const head = await readState(access, anchor);
  if (head === undefined || sha256Hex(head) !== anchor.manifest.stateHash) return undefined;
  const log = new PageLog(access, anchor.manifest.tape.partition);
  const parts = await log.readNamed(head);
  if (parts === undefined) return undefined;
  try {
    const { format, instruments } = fromSomePages(head, parts) as TaskState & { readonly format: unknown };
    const instrument = (instruments as readonly InstrumentState[]).find((each) => each.name === name);
    if (format !== STATE_FORMAT || instrument === undefined) return undefined;
    const { clock, formerTradeIds, identities, amendments, sessions } = instrument;
    const needed = { name, clock, formerTradeIds, identities, amendments, sessions } satisfies SumsState;
    const json = Buffer.from(JSON.stringify(needed), 'utf8');
    const pages = await log.read(json);
    return pages === undefined ? undefined : (fromPagedState(json, pages) as SumsState);
  } catch {
    // Bytes of another form: an audit adds up everything then.
    return undefined;
  }
}

function sumsOf({ sessions }: SumsState, index: number): SessionSums {
  const session = sessions.held.find((held) => held.index === index);
  if (session === undefined) return { count: 0, volumeUnits: 0n, turnoverUnits: 0n };
  const [volume, first, , count] = session.vwap;
  return {
    count,
    volumeUnits: unitsAt(exactOf(volume), DECIMAL_SCALE),
    turnoverUnits: unitsAt(exactOf(first), 2 * DECIMAL_SCALE),
  };
}
