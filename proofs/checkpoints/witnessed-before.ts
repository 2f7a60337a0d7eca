import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import type { Located } from '../located.ts';
import { witnessedBy, type TrustedKeys, type WitnessedAt } from './recorded-checkpoint.ts';

/** Whether a forecast was cosigned before its outcome could be known: the times are of three clocks. */

const US_PER_S = 1_000_000;
const MS_PER_S = 1_000;

/** What happened to a forecast, by which clock; undefined where it has not, or the log does not say so. */
export interface ForecastTimes {
  /** When the engine sent the forecast, by its clock. */
  readonly sentMs: number | undefined;
  /** When it falls due, by market time, microseconds. */
  readonly dueUs: number;
  /** When the engine sent the outcome, by its clock. */
  readonly outcomeSentMs: number | undefined;
}

/** When the engine sent an event, by its clock, milliseconds; undefined where the record does not say so. */
export function sentMsOf(located: Pick<Located<unknown>, 'emittedAt'> | undefined): number | undefined {
  const sentMs = Date.parse(located?.emittedAt ?? '');
  return Number.isNaN(sentMs) ? undefined : sentMs;
}

/** By the end of the second that the witness named: it may have signed at any time within it. */
function cosignedByMs({ timeS }: WitnessedAt): number {
  return (timeS + 1) * MS_PER_S;
}

/** A forecast that was sent before it fell due. Else the tape was read after the fact, and market time proves nothing. */
export function isLive({ sentMs, dueUs }: Pick<ForecastTimes, 'sentMs' | 'dueUs'>): boolean {
  return sentMs !== undefined && sentMs * MS_PER_S < dueUs;
}

/** Whether it was cosigned before the engine sent the outcome; undefined while there is none, or its time is not known. */
export function isBeforeOutcome(cosigned: WitnessedAt, { outcomeSentMs }: ForecastTimes): boolean | undefined {
  return outcomeSentMs === undefined ? undefined : cosignedByMs(cosigned) <= outcomeSentMs;
}

/** Whether it was cosigned before it fell due by market time; undefined where it was not published live. */
export function isBeforeDue(cosigned: WitnessedAt, times: ForecastTimes): boolean | undefined {
  return isLive(times) ? cosignedByMs(cosigned) * MS_PER_S <= times.dueUs : undefined;
}

/** The recorded checkpoints with an event. Times in ISO 8601, UTC. */
export interface Checkpointed {
  readonly eventId: string;
  readonly origin: string;
  /** Of its leaf, from 0. */
  readonly index: number;
  /** The first checkpoint with it, by the clock of the process that signed it. */
  readonly signed: { readonly at: string; readonly size: number; readonly isVerified: boolean };
  /** The first one that a witness cosigned, by that witness's clock; null without one. */
  readonly cosigned: {
    readonly size: number;
    readonly by: readonly { readonly witness: string; readonly at: string }[];
    readonly isVerified: boolean;
  } | null;
  /** Null where it has no outcome to come, or was not cosigned. */
  readonly beforeOutcome: {
    /** Before the engine sent the outcome, by its clock; null while there is none, or its time is not known. */
    readonly beforeSent: boolean | null;
    readonly outcomeSentAt: string | null;
    /** Before the due time by market time; null where it was not published live. */
    readonly beforeDue: boolean | null;
    readonly dueAt: string;
  } | null;
}

/** @param times - undefined for an event that has no outcome. */
export function checkpointedOf(
  { eventId, sequence }: { readonly eventId: string; readonly sequence: number },
  { first, cosigned }: { readonly first: LogCheckpoint; readonly cosigned: LogCheckpoint | undefined },
  keys: TrustedKeys,
  times: ForecastTimes | undefined,
): Checkpointed {
  const { origin, firstSequence, signedAt, size } = first;
  const witnesses = cosigned === undefined ? [] : witnessedBy(cosigned, keys.witnessKeys);
  const [earliest] = witnesses;
  return {
    ...{ eventId, origin, index: sequence - firstSequence },
    signed: { at: isoTimeOf(signedAt), size, isVerified: keys.logKeys.length > 0 },
    cosigned:
      cosigned === undefined
        ? null
        : {
            size: cosigned.size,
            by: witnesses.map(({ witness, timeS }) => ({ witness, at: isoTimeOf(timeS * US_PER_S) })),
            isVerified: keys.witnessKeys.length > 0,
          },
    beforeOutcome:
      earliest === undefined || times === undefined
        ? null
        : {
            beforeSent: isBeforeOutcome(earliest, times) ?? null,
            outcomeSentAt: times.outcomeSentMs === undefined ? null : isoTimeOf(times.outcomeSentMs * MS_PER_S),
            beforeDue: isBeforeDue(earliest, times) ?? null,
            dueAt: isoTimeOf(times.dueUs),
          },
  };
}
