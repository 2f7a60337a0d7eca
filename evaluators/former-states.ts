import type { TaskCounts, TaskState } from './task-state.ts';
import type { TradeIdsOfVersion2 } from './former-trade-ids.ts';
import { Range, rangeFromForm3, type RangeStateOfForm3, type RoundedRangeState } from './indicators/range.ts';
import { VolumeProfile, type RoundedProfileState } from './indicators/volume-profile.ts';
import { Vwap } from './indicators/vwap.ts';
import type { MarketClockState } from './market-clock.ts';
import { Instrument, type InstrumentState } from './instrument.ts';
import { parseConfiguration } from './configuration.ts';
import { pendingFromForm3, type PendingOfForm3 } from './former-forecasts.ts';
import { compileRules, type EngineRules } from './rules.ts';
import type { SessionState } from './indicators/session.ts';
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

/** The state of engine version 3: bars without takers, forecasts one by one, and nothing learned from outcomes. */
export type TaskStateOfForm3 = Omit<TaskState, 'counts' | 'instruments'> & {
  readonly counts: CountsOfForm3;
  readonly instruments: readonly (Omit<InstrumentState, 'clock' | 'range' | 'pending' | 'calibrations'> & {
    readonly clock: Omit<MarketClockState, 'watermarkUs'> & { readonly tickUs: number | null };
    readonly range: RangeStateOfForm3;
    readonly pending: PendingOfForm3;
  })[];
};

/** The state of engine version 2. */
export type TaskStateOfForm2 = Omit<TaskState, 'counts' | 'instruments'> & {
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

/** The state of version 3, converted to this version's: pending forecasts keep their rules, and nothing is learned yet. */
export function fromForm3({ counts, instruments, ...rest }: TaskStateOfForm3): TaskState {
  return {
    ...rest,
    counts: countsFrom(counts),
    instruments: instruments.map((instrument) => {
      const { range, pending } = instrument;
      const { tickUs, ...clock } = instrument.clock;
      return {
        ...instrument,
        clock: { ...clock, watermarkUs: tickUs },
        range: rangeFromForm3(range),
        pending: pendingFromForm3(pending),
        calibrations: [],
      };
    }),
  };
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
    pending: pendingFromForm3(pending),
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
