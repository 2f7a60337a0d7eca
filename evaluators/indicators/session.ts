import type { Decimal } from '../../contracts/decimal.ts';
import type { SessionCalendar, SessionSpan } from '../sessions/session-calendar.ts';
import type { PriceRows } from './price-rows.ts';
import { VolumeProfile, type VolumeProfileState } from './volume-profile.ts';
import { Vwap, type VwapState } from './vwap.ts';

/** State of {@link Sessions}: those held, ascending, and which of them the clock is in. */
export interface SessionsState {
  readonly held: readonly SessionState[];
  readonly currentIndex: number | null;
}

/** State of one {@link Session}. */
export interface SessionState extends SessionSpan {
  readonly firstOffset: number;
  readonly vwap: VwapState;
  readonly profile: VolumeProfileState | null;
  readonly isProfilePartial: boolean;
}

/** The measurements over one session of an instrument. */
export class Session {
  readonly span: SessionSpan;
  readonly vwap: Vwap;
  /** Least tape offset of its trades. */
  firstOffset: number;
  /** Undefined from its restart to the next trade. */
  profile: VolumeProfile | undefined;
  private isProfilePartial = false;

  constructor(span: SessionSpan, firstOffset: number, vwap = new Vwap()) {
    this.span = span;
    this.firstOffset = firstOffset;
    this.vwap = vwap;
  }

  static fromState({ firstOffset, vwap, profile, isProfilePartial, ...span }: SessionState): Session {
    const session = new Session(span, firstOffset, Vwap.fromState(vwap));
    session.profile = profile === null ? undefined : VolumeProfile.fromState(profile);
    session.isProfilePartial = isProfilePartial;
    return session;
  }

  toState(): SessionState {
    const { span, firstOffset, vwap, profile, isProfilePartial } = this;
    return { ...span, firstOffset, vwap: vwap.toState(), profile: profile?.toState() ?? null, isProfilePartial };
  }

  /** @param rowsFrom - gives the rows of a profile that begins with this price. */
  add(price: Decimal, size: Decimal, offset: number, rowsFrom: (price: Decimal) => PriceRows): void {
    if (offset < this.firstOffset) this.firstOffset = offset;
    this.vwap.add(price, size);
    (this.profile ??= new VolumeProfile(rowsFrom(price))).add(price, size);
  }

  /** Removes a trade that was counted. */
  remove(price: Decimal, size: Decimal): void {
    this.vwap.remove(price, size);
    // It is not known whether a profile that was restarted holds the trade: it restarts again.
    if (this.isProfilePartial) this.profile = undefined;
    else this.profile?.remove(price, size);
  }

  /** Drops the profile: it restarts with the next trade. */
  restartProfile(): void {
    this.profile = undefined;
    this.isProfilePartial = true;
  }
}

/**
 * The sessions of an instrument that trades may still count into: the one that the clock is in, the one before it, and
 * the one after it, if trades came early. So the order in which the trades of two sessions arrive does not affect their
 * sums.
 */
export class Sessions {
  private readonly calendar: SessionCalendar;
  /** Ascending. */
  private held: Session[] = [];
  private inForce: Session | undefined;

  constructor(calendar: SessionCalendar, state?: SessionsState) {
    this.calendar = calendar;
    if (state === undefined) return;
    this.held = state.held.map((session) => Session.fromState(session));
    this.inForce = this.held.find(({ span }) => span.index === state.currentIndex);
  }

  toState(): SessionsState {
    return { held: this.held.map((session) => session.toState()), currentIndex: this.inForce?.span.index ?? null };
  }

  /** The session that the clock is in; undefined before the first trade. */
  get current(): Session | undefined {
    return this.inForce;
  }

  /** The one before it, if it had trades. */
  get previous(): Session | undefined {
    const { inForce } = this;
    return inForce === undefined ? undefined : this.held[this.held.indexOf(inForce) - 1];
  }

  /** All in memory, ascending. */
  get all(): readonly Session[] {
    return this.held;
  }

  /** Start of the earliest session that a trade may count into, microseconds; −∞ while every earlier one may. */
  get earliestUs(): number {
    return this.previous?.span.startUs ?? Number.NEGATIVE_INFINITY;
  }

  /** The session of a time; undefined outside trading hours. */
  spanAt(timeUs: number): SessionSpan | undefined {
    const { inForce } = this;
    if (inForce !== undefined && timeUs >= inForce.span.startUs && timeUs < inForce.span.endUs) return inForce.span;
    return this.calendar.sessionAt(timeUs);
  }

  /** Whether a session's trades count: it is not before the previous one, and not beyond the next one. */
  placeOf({ index }: SessionSpan): 'HELD' | 'TOO_OLD' | 'TOO_FAR' {
    const { inForce } = this;
    if (inForce === undefined || index === inForce.span.index) return 'HELD';
    if (index < inForce.span.index) return index < (this.previous?.span.index ?? index) ? 'TOO_OLD' : 'HELD';
    return index > this.calendar.after(inForce.span.index).index ? 'TOO_FAR' : 'HELD';
  }

  /** The session's sums, created if it has none yet. Only for a session whose trades count. */
  of(span: SessionSpan, offset: number): Session {
    if (this.inForce?.span.index === span.index) return this.inForce;
    const found = this.held.find(({ span: { index } }) => index === span.index);
    if (found !== undefined) return found;
    const session = new Session(span, offset);
    this.held = [...this.held, session].sort((left, right) => left.span.index - right.span.index);
    if (this.inForce !== undefined) this.dropOlder();
    return session;
  }

  /** The clock is in this session now. Sessions into which no trade can count any more are dropped. */
  enter(span: SessionSpan, offset: number): Session {
    if (this.inForce?.span.index === span.index) return this.inForce;
    this.inForce = undefined;
    this.inForce = this.of(span, offset);
    const next = this.calendar.after(span.index).index;
    this.held = this.held.filter(({ span: { index } }) => index <= next);
    this.dropOlder();
    return this.inForce;
  }

  /** Drops all profiles: they restart with the next trade of their session. Averages continue. */
  restartProfiles(): void {
    for (const session of this.held) session.restartProfile();
  }

  private dropOlder(): void {
    const position = this.inForce === undefined ? 0 : this.held.indexOf(this.inForce);
    if (position > 1) this.held = this.held.slice(position - 1);
  }
}
