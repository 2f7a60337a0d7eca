/**
 * The whole flow, on one screen. Arrows are Kafka topics; everything right of the tape is a pure function of it.
 *
 *  files, venues ─► raw.trades ─► engine ─► indicator.snapshots ─┐
 *                       │           ├────► strategy.results ─────┤
 *                       │           ├────► probability.decisions ┼─► projectors ─► Redis (latest), Postgres (history)
 *                       │           └────► decision.outcomes ────┘
 *                       └──────────────────────────────────────────►
 *  Redis, Postgres, topics ─► dashboard: the read-only API and the web page (dashboard/main.ts)
 *                       all of these ─► checkpoints ─► engine.checkpoints: signed heads, cosigned by witnesses elsewhere
 *
 * The engine's one step, for each trade (evaluators/engine.ts):
 *   1. admit it: print, session, price, clock, identity; one that is set aside is counted, and ends here
 *   2. resolve the instrument's forecasts that are due  → Outcome (HIT, MISS, VOID); learn from them: reference rate,
 *      calibration
 *   3. update the indicators
 *   4. at the cadence: snapshot → each strategy, calibrated → pooled decision, calibrated → forecasts to be resolved
 *
 * `tapeproof tape` appends a record that takes a trade back or corrects it: the sums follow, earlier decisions stand.
 *
 * A new source, venue, strategy or projector is one file or folder, and one line in its catalogue; nothing here changes.
 */
import {
  ANCHORS_TOPIC,
  CHECKPOINTS_TOPIC,
  DEAD_LETTERS_TOPIC,
  DERIVED_TOPICS,
  STATES_TOPIC,
  TAPE_TOPIC,
  TOPIC_OF_DERIVED,
} from './contracts/topics.ts';
import { runEngine } from './evaluators/main.ts';
import { STRATEGIES } from './evaluators/strategies/catalogue.ts';
import { ingestContext, ingestFile, ingestSectors, ingestVenues, writePastTrades } from './producers/main.ts';
import { FILE_SOURCES } from './producers/catalogue.ts';
import { VENUES } from './producers/venues/catalogue.ts';
import { runCheckpoints } from './proofs/checkpoints/service.adapter.ts';
import { runProjector } from './projectors/main.ts';
import { PROJECTORS } from './projectors/catalogue.ts';

export const pipeline = {
  /** Market data → the tape. */
  ingest: {
    sources: FILE_SOURCES,
    run: ingestFile,
    venues: VENUES,
    live: ingestVenues,
    past: writePastTrades,
    writes: [TAPE_TOPIC, DEAD_LETTERS_TOPIC],
  },
  /** News, calendars, and the strength of sectors → the tape, among the trades. */
  context: {
    run: ingestContext,
    sectors: ingestSectors,
    reads: [TOPIC_OF_DERIVED.IndicatorSnapshot],
    writes: [TAPE_TOPIC, DEAD_LETTERS_TOPIC],
  },
  /** The tape → events, one deterministic step per record. */
  engine: {
    strategies: STRATEGIES,
    run: runEngine,
    reads: [TAPE_TOPIC],
    writes: [...DERIVED_TOPICS, STATES_TOPIC, ANCHORS_TOPIC, DEAD_LETTERS_TOPIC],
  },
  /** Events → read models, each with its own consumer group; those with an output whole hold it to the roots in the anchors. */
  projectors: { all: PROJECTORS, run: runProjector },
  /** The logs → signed heads: outside the pure function, nothing is derived from them. */
  checkpoints: {
    run: runCheckpoints,
    reads: [TAPE_TOPIC, ...DERIVED_TOPICS, ANCHORS_TOPIC],
    writes: [CHECKPOINTS_TOPIC],
  },
} as const;
