import type { TaskCounts, TaskState } from './task-state.ts';
import type { TradeIdsOfVersion2 } from './former-trade-ids.ts';
import { firstTrees } from './log-trees.ts';
import {
  Range,
  rangeFromForm3,
  rangeFromForm4,
  type RangeStateOfForm3,
  type RangeStateOfForm4,
  type RoundedRangeState,
} from './indicators/range.ts';
import {
  profileFromForm4,
  VolumeProfile,
  type ProfileStateOfForm4,
  type RoundedProfileState,
} from './indicators/volume-profile.ts';
import { Vwap } from './indicators/vwap.ts';
import type { MarketClockState } from './market-clock.ts';
import { Instrument, type InstrumentState } from './instrument.ts';
import { parseConfiguration } from './configuration.ts';
import { pendingFromForm3, pendingFromForm4, type PendingOfForm3, type PendingOfForm4 } from './former-forecasts.ts';
import { compileRules, type EngineRules } from './rules.ts';
import type { SessionState, SessionsState } from './indicators/session.ts';
import { NOTHING_SEEN } from './trade-counts.ts';

interface SessionOfForm2 {
  readonly index: number;
  readonly firstOffset: number;
  readonly vwap: readonly [volume: number, mean: number, squares: number, tradeCount: number];
  readonly profile: RoundedProfileState | null;
}

interface InstrumentOfForm2 {
  readonly name: string;
  readonly clockUs: number;
  readonly tickUs: number | null;
  readonly lastSnapshotUs: number | null;
  readonly binSize: string | null;
  readonly binSizeIsConfigured: boolean;
  readonly sessions: { readonly current: SessionOfForm2 | null; readonly previous: SessionOfForm2 | null };
  readonly range: RoundedRangeState;
  readonly tradeIds: TradeIdsOfVersion2;
  readonly pending: PendingOfForm3;
}

/** Watermarks were called ticks before engine version 4. */
type CountsOfForm3 = Omit<TaskCounts, 'watermarks'> & { readonly ticks: number };

type SessionsOfForm4 = Omit<SessionsState, 'held'> & {
  readonly held: readonly (Omit<SessionState, 'profile'> & { readonly profile: ProfileStateOfForm4 | null })[];
};

type InstrumentOfForm4 = Omit<InstrumentState, 'sessions' | 'range' | 'pending'> & {
  readonly sessions: SessionsOfForm4;
  readonly range: RangeStateOfForm4;
  readonly pending: PendingOfForm4;
};

/** The state of engine version 4: all in its head but identities, and trees that began anew at each anchor. */
export type TaskStateOfForm4 = Omit<TaskState, 'instruments' | 'trees'> & {
  readonly instruments: readonly InstrumentOfForm4[];
};

/** The state of engine version 3: bars without takers, forecasts one by one, and nothing learned from outcomes. */
export type TaskStateOfForm3 = Omit<TaskStateOfForm4, 'counts' | 'instruments'> & {
  readonly counts: CountsOfForm3;
  readonly instruments: readonly (Omit<InstrumentOfForm4, 'clock' | 'range' | 'pending' | 'calibrations'> & {
    readonly clock: Omit<MarketClockState, 'watermarkUs'> & { readonly tickUs: number | null };
    readonly range: RangeStateOfForm3;
    readonly pending: PendingOfForm3;
  })[];
};

/** The state of engine version 2. */
export type TaskStateOfForm2 = Omit<TaskStateOfForm4, 'counts' | 'instruments'> & {
  readonly counts: Omit<CountsOfForm3, 'amendments'>;
  readonly instruments: readonly InstrumentOfForm2[];
};

/** The state of engine version 1, which knew no watermarks and no gaps. */
export type TaskStateOfForm1 = Omit<TaskStateOfForm2, 'counts' | 'instruments'> & {
  readonly counts: Omit<CountsOfForm3, 'ticks' | 'gaps' | 'amendments'>;
  readonly instruments: readonly Omit<InstrumentOfForm2, 'tickUs'>[];
};

/** The state of version 1 as version 2 imported it: nothing was lost, for there were no watermarks. */
export function fromForm1({ counts, instruments, ...rest }: TaskStateOfForm1): TaskState {
  return fromForm2({
    ...rest,
    counts: { ...counts, ticks: 0, gaps: 0 },
    instruments: instruments.map((instrument) => ({ ...instrument, tickUs: null })),
  });
}

/** The state of version 4, converted to this version's: the trees of its outputs begin here. */
export function fromForm4({ instruments, ...rest }: TaskStateOfForm4): TaskState {
  return {
    ...rest,
    trees: firstTrees(rest.nextSequences),
    instruments: instruments.map(({ sessions, range, pending, ...instrument }) => ({
      ...instrument,
      sessions: {
        ...sessions,
        held: sessions.held.map(({ profile, ...session }) => ({
          ...session,
          profile: profile === null ? null : profileFromForm4(profile),
        })),
      },
      range: rangeFromForm4(range),
      pending: pendingFromForm4(pending),
    })),
  };
}

/** The state of version 3, converted to this version's: pending forecasts keep their rules, and nothing is learned yet. */
export function fromForm3({ counts, instruments, ...rest }: TaskStateOfForm3): TaskState {
  return fromForm4({
    ...rest,
    counts: countsFrom(counts),
    instruments: instruments.map(({ range, pending, clock: { tickUs, ...clock }, ...instrument }) => ({
      ...instrument,
      clock: { ...clock, watermarkUs: tickUs },
      range: rangeFromForm3(range),
      pending: pendingFromForm3(pending),
      calibrations: [],
    })),
  });
}

/**
 * The state of version 2, converted to this version's. Pending forecasts keep their rules. Sums are as exact as the
 * doubles allow, to at most 12 decimals of a size. Trade ids are kept apart, without times, and consulted as long as a
 * trade of that time may count.
 */
export function fromForm2({ counts, instruments, ...rest }: TaskStateOfForm2): TaskState {
  const rules = compileRules(parseConfiguration(JSON.parse(rest.activation.configuration)));
  return {
    ...rest,
    trees: firstTrees(rest.nextSequences),
    counts: countsFrom({ ...counts, amendments: 0 }),
    instruments: instruments.map((instrument) => instrumentFrom(instrument, rules)),
  };
}

function countsFrom({ ticks, ...counts }: CountsOfForm3): TaskCounts {
  return { ...counts, watermarks: ticks };
}

function instrumentFrom(former: InstrumentOfForm2, rules: EngineRules): InstrumentState {
  const { name, clockUs, tickUs, lastSnapshotUs, sessions, range, tradeIds, pending } = former;
  const { current, previous } = sessions;
  const fresh = new Instrument(name, rules).toState();
  const held = [previous, current].flatMap((session) => (session === null ? [] : [sessionFrom(session, name, rules)]));
  return {
    ...fresh,
    clock: { ...fresh.clock, timeUs: clockUs, watermarkUs: tickUs, isSettled: clockUs > 0 },
    lastSnapshotUs,
    sessions: { held, currentIndex: current?.index ?? null },
    range: Range.fromRounded(rules.range, range).toState(),
    formerTradeIds: { ...tradeIds, untilUs: clockUs },
    pending: pendingFromForm4(pendingFromForm3(pending)),
    counts: NOTHING_SEEN,
  };
}

function sessionFrom(
  { index, firstOffset, vwap, profile }: SessionOfForm2,
  name: string,
  rules: EngineRules,
): SessionState {
  const { calendar } = rules.of(name);
  return {
    ...calendar.after(index - 1),
    firstOffset,
    vwap: Vwap.fromRounded(...vwap).toState(),
    profile: profile === null ? null : VolumeProfile.fromRounded(profile).toState(),
    isProfilePartial: false,
  };
}
