import { oneOf, whole, type Draw } from './draws.ts';

/**
 * The possible faults, and their default intervals: once in this many frames of a connection, attempts to connect or
 * requests, on average.
 */
export const FAULT_INTERVALS = {
  // Connections: the frames that one carries until the fault happens.
  /** The socket is destroyed between two frames. */
  cut: 600,
  /** The socket is destroyed within a frame. */
  'cut-mid-frame': 600,
  /** The socket stays, but nothing is sent or read any longer, pings included. */
  'half-open': 2_000,
  /** Pings are answered as before, but no more trades arrive. */
  deaf: 2_000,
  /** Closed with 1001 or 1008, as at the end of 24 hours. */
  'going-away': 900,
  // Frames.
  /** Sent after up to `OUT_OF_ORDER_FRAMES_MAX` later ones. */
  'out-of-order': 40,
  /** Sent again, at once or a few frames later. */
  'duplicated-frame': 40,
  'dropped-frame': 200,
  /** Something else in place of a trade. */
  'malformed-instead': 300,
  /** Something else after a trade. */
  'malformed-besides': 300,
  // Attempts to connect.
  'refused-connection': 2,
  // Requests.
  /** 429 with Retry-After. */
  'rate-limited': 5,
  /** 418 with Retry-After. */
  banned: 10,
  /** 500 or 503. */
  'server-error': 4,
  /** Answered late, in pieces. */
  'slow-answer': 5,
  /** Begun but never ended. */
  'endless-answer': 8,
  /** A page that is cut off within its JSON. */
  'truncated-page': 4,
  /** A page that does not know the newest trades yet. */
  'lagging-page': 3,
  /** A page without some trades of its middle. */
  'page-with-holes': 4,
} as const satisfies Readonly<Record<string, number>>;

export type FaultName = keyof typeof FAULT_INTERVALS;
export const FAULT_NAMES = Object.keys(FAULT_INTERVALS) as readonly FaultName[];

/** The faults in use: name → once in this many. */
export type Faults = Readonly<Partial<Record<FaultName, number>>>;

export const OUT_OF_ORDER_FRAMES_MAX = 12;
/** Less than what a watermark allows for. */
const LAG_MS_MAX = 1_500;
const HOLE_TRADES_MAX = 5;
export const RETRY_AFTER_SECONDS = { 'rate-limited': 1, banned: 2 } as const;

const ENDS = ['cut', 'cut-mid-frame', 'half-open', 'deaf', 'going-away'] as const satisfies readonly FaultName[];
const REFUSALS = ['reset', 'unavailable', 'too-many'] as const;
/** Those that need a request. */
export const ANSWER_FAULTS = [
  'rate-limited',
  'banned',
  'server-error',
  'slow-answer',
  'endless-answer',
  'truncated-page',
  'lagging-page',
  'page-with-holes',
] as const satisfies readonly FaultName[];

export type EndFault = (typeof ENDS)[number];
export type Refusal = (typeof REFUSALS)[number];
export type AnswerFault = (typeof ANSWER_FAULTS)[number];

/** How a connection will end. */
export interface PlannedEnd {
  readonly fault: EndFault;
  readonly afterFrames: number;
}

/** The fate of one trade on one connection. */
export interface FramePlan {
  readonly dropped: boolean;
  /** The number of frames by which it is late; 0 if in turn. */
  readonly delayFrames: number;
  /** The number of frames after which it is repeated; undefined where it is not. */
  readonly repeatFrames: number | undefined;
  /** A draw that decides which spoiled frame is sent, and where. */
  readonly malformed: { readonly place: 'instead' | 'besides'; readonly drawn: number } | undefined;
}

const UNHARMED: FramePlan = { dropped: false, delayFrames: 0, repeatFrames: undefined, malformed: undefined };

/** The named faults at their usual intervals. */
export function faultsNamed(...names: readonly FaultName[]): Faults {
  return Object.fromEntries(names.map((name) => [name, FAULT_INTERVALS[name]]));
}

/**
 * Every fault, for tests that combine them: rarer, since a client within the exchange's limits can request little more
 * than two pages a second.
 *
 * @param frames how much rarer faults of frames and connections are than when alone: more frames have more gaps
 * @param answers how much rarer faults of answers are
 */
export function everyFault(frames: number, answers: number): Faults {
  const intervals = FAULT_NAMES.map((name) => {
    const times = ANSWER_FAULTS.some((fault) => fault === name) ? answers : name === 'refused-connection' ? 1 : frames;
    return [name, times * FAULT_INTERVALS[name]];
  });
  return Object.fromEntries(intervals) as Faults;
}

/** Decides the faults by the seed and the number of the connection, frame, attempt or request. */
export class FaultPlan {
  private readonly faults: Faults;
  private readonly draw: Draw;
  private readonly harmsFrames: boolean;

  constructor(faults: Faults, draw: Draw) {
    this.faults = faults;
    this.draw = draw;
    const frameFaults: readonly FaultName[] = ['out-of-order', 'duplicated-frame', 'dropped-frame'];
    this.harmsFrames = [...frameFaults, 'malformed-instead' as const, 'malformed-besides' as const].some(
      (name) => faults[name] !== undefined,
    );
  }

  endOf(connection: number): PlannedEnd | undefined {
    const planned = ENDS.flatMap((fault): PlannedEnd[] => {
      const interval = this.faults[fault];
      if (interval === undefined) return [];
      return [{ fault, afterFrames: whole(this.draw(fault, connection), 1, 2 * interval - 1) }];
    });
    return planned.toSorted((left, right) => left.afterFrames - right.afterFrames)[0];
  }

  closeCodeOf(connection: number): number {
    return oneOf(this.draw('close-code', connection), [1001, 1008]);
  }

  frame(connection: number, frame: number): FramePlan {
    if (!this.harmsFrames) return UNHARMED;
    const happens = (fault: FaultName): boolean => this.happens(fault, connection, frame);
    const place = happens('malformed-instead') ? 'instead' : happens('malformed-besides') ? 'besides' : undefined;
    const frames = (purpose: string, low: number): number =>
      whole(this.draw(purpose, connection, frame), low, OUT_OF_ORDER_FRAMES_MAX);
    return {
      dropped: place !== 'instead' && happens('dropped-frame'),
      delayFrames: happens('out-of-order') ? frames('delay', 1) : 0,
      repeatFrames: happens('duplicated-frame') ? frames('repeat', 0) : undefined,
      malformed: place === undefined ? undefined : { place, drawn: this.draw('malformed', connection, frame) },
    };
  }

  refusalOf(attempt: number): Refusal | undefined {
    return this.happens('refused-connection', attempt) ? oneOf(this.draw('refusal', attempt), REFUSALS) : undefined;
  }

  /** At most one fault per request. */
  answerFaultOf(request: number): AnswerFault | undefined {
    return ANSWER_FAULTS.find((fault) => this.happens(fault, request));
  }

  serverErrorOf(request: number): number {
    return oneOf(this.draw('server-error-status', request), [500, 503]);
  }

  lagMsOf(request: number): number {
    return whole(this.draw('lag', request), 50, LAG_MS_MAX);
  }

  /** A page of at least two trades, without one or more consecutive ones, but never without all. */
  withHole<Item>(request: number, page: readonly Item[]): readonly Item[] {
    const first = whole(this.draw('hole', request), 0, page.length - 1);
    const length = whole(this.draw('hole-length', request), 1, Math.min(HOLE_TRADES_MAX, page.length - 1));
    return page.toSpliced(first, length);
  }

  /** The share of an answer's characters that is sent, above 0 and below 1. */
  shareOf(request: number): number {
    return 0.05 + 0.9 * this.draw('share', request);
  }

  private happens(fault: FaultName, ...counters: readonly number[]): boolean {
    const interval = this.faults[fault];
    return interval !== undefined && this.draw(fault, ...counters) * interval < 1;
  }
}
