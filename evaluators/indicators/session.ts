import type { Decimal } from '../../contracts/decimal.ts';
import type { PriceRows } from './price-rows.ts';
import { VolumeProfile, type VolumeProfileState } from './volume-profile.ts';
import { Vwap, type VwapState } from './vwap.ts';

/** State of {@link Sessions}. */
export interface SessionsState {
  readonly current: SessionState | null;
  readonly previous: SessionState | null;
}

interface SessionState {
  readonly index: number;
  readonly firstOffset: number;
  readonly vwap: VwapState;
  readonly profile: VolumeProfileState | null;
}

/** What is measured over one session of an instrument. */
export interface Session {
  /** Number of the session, see `sessionIndexOf`. */
  readonly index: number;
  /** Tape offset of its first trade. */
  readonly firstOffset: number;
  readonly vwap: Vwap;
  /** Undefined from its restart to the next trade. */
  profile: VolumeProfile | undefined;
}

/**
 * The current and the previous session of an instrument. A trade counts into its own session: a late one may belong
 * to the previous; one older than that counts into none.
 */
export class Sessions {
  private currentSession: Session | undefined;
  private previousSession: Session | undefined;

  static fromState(state: SessionsState): Sessions {
    const sessions = new Sessions();
    sessions.currentSession = state.current === null ? undefined : sessionFromState(state.current);
    sessions.previousSession = state.previous === null ? undefined : sessionFromState(state.previous);
    return sessions;
  }

  toState(): SessionsState {
    return { current: sessionToState(this.currentSession), previous: sessionToState(this.previousSession) };
  }

  get current(): Session | undefined {
    return this.currentSession;
  }

  get previous(): Session | undefined {
    return this.previousSession;
  }

  /** Counts a trade. */
  add(index: number, offset: number, rows: PriceRows, price: Decimal, size: Decimal): void {
    const session = this.sessionOf(index, offset);
    if (session === undefined) return;
    session.vwap.add(price, size);
    session.profile ??= new VolumeProfile(rows);
    session.profile.add(price, size);
  }

  /** Drops all profiles: they begin again with the next trade of their session. Averages go on. */
  restartProfiles(): void {
    const restarted = (session: Session | undefined) =>
      session === undefined ? undefined : { ...session, profile: undefined };
    this.currentSession = restarted(this.currentSession);
    this.previousSession = restarted(this.previousSession);
  }

  private sessionOf(index: number, offset: number): Session | undefined {
    const current = this.currentSession;
    if (current?.index === index) return current;
    if (current === undefined || index > current.index) {
      this.previousSession = current;
      return (this.currentSession = begun(index, offset));
    }
    const previous = this.previousSession;
    if (previous?.index === index) return previous;
    if (previous !== undefined && index < previous.index) return undefined;
    return (this.previousSession = begun(index, offset));
  }
}

function begun(index: number, firstOffset: number): Session {
  return { index, firstOffset, vwap: new Vwap(), profile: undefined };
}

function sessionToState(session: Session | undefined): SessionState | null {
  if (session === undefined) return null;
  const { index, firstOffset, vwap, profile } = session;
  return { index, firstOffset, vwap: vwap.toState(), profile: profile?.toState() ?? null };
}

function sessionFromState({ index, firstOffset, vwap, profile }: SessionState): Session {
  return {
    index,
    firstOffset,
    vwap: Vwap.fromState(vwap),
    profile: profile === null ? undefined : VolumeProfile.fromState(profile),
  };
}
