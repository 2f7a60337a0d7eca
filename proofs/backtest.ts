import type { TradeRow } from '../producers/rows.ts';
import type { TaskCounts } from '../evaluators/task-state.ts';
import { canonicalConfiguration, ENGINE_VERSION, type EngineConfiguration } from '../evaluators/configuration.ts';
import { contentOf, goOn, startDerivation } from '../evaluators/derive.ts';
import type { DerivedRecord } from '../evaluators/advance.ts';
import type { PartitionTask } from '../evaluators/partition-task.ts';
import { STRATEGIES } from '../evaluators/strategies/catalogue.ts';
import type { Strategy } from '../evaluators/strategies/strategy.ts';
import { sha256Hex } from '../contracts/codec.ts';
import { TapeproofError } from '../platform/errors.ts';
import { differencesBetween, type Difference } from './backtest-comparison.ts';
import { Refusals, type FileLine, type RefusalKind } from './backtest-refusals.ts';
import { StrategyFault } from './backtest-strategy.ts';
import { ScoreboardCount, type Scoreboard } from './scoreboard/scoreboard.ts';
import { tradesOf, type TradesOfInstrument } from './set-aside.ts';
import { isoTimeOf } from '../contracts/iso-time.ts';

/** Version of the report's form: changed when a field is renamed, removed or changes its meaning. */
const REPORT_SCHEMA = 'tapeproof.backtest/2';

/** A configuration under test. */
export interface Contender {
  /** Where it was read from. */
  readonly path: string;
  readonly configuration: EngineConfiguration;
}

/** The result of one configuration on the trades. */
export interface ContenderResult {
  /** A, B: in the order given. */
  readonly label: string;
  readonly path: string;
  readonly configHash: string;
  readonly scoreboard: Scoreboard;
  /** The engine's own counts, and the fates of the trades by instrument. */
  readonly counts: TaskCounts;
  readonly instruments: readonly TradesOfInstrument[];
  /** Trades that the engine refused, by reason. */
  readonly refused: readonly RefusalKind[];
}

/** A file that was read. */
export interface BacktestFile {
  readonly path: string;
  readonly format: string;
  /** As the trades name it. */
  readonly source: string;
  /** Of the unpacked content. */
  readonly sha256: string;
  readonly trades: number;
  /** Lines of other messages, which are neither trades nor refused. */
  readonly otherMessages: number;
}

/** A strategy from outside the repository. */
export interface BacktestStrategy {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
}

/** All of a backtest as data. It is hypothetical: an engine would have decided so on these trades. */
export interface BacktestReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly hypothetical: true;
  readonly engineVersion: string;
  /** False when it was stopped before the end of the files. */
  readonly complete: boolean;
  readonly files: readonly BacktestFile[];
  readonly strategies: readonly BacktestStrategy[];
  /** Trades read from the files. */
  readonly trades: number;
  /** Rows that are not valid trades, by reason. */
  readonly refusedRows: readonly RefusalKind[];
  readonly configurations: readonly ContenderResult[];
  /** B against A; empty for one configuration. */
  readonly differences: readonly Difference[];
}

/**
 * Runs configurations side by side over the same trades, with no services. Each of them derives the same as `derive`
 * would with it alone.
 */
export class Backtest {
  /** Rows of the files that are not valid trades. */
  readonly refusedRows = new Refusals();
  private readonly runs: readonly Run[];
  private read = 0;

  /**
   * @param known - the strategies against which the configurations were checked.
   * @throws Error when the engine refuses a configuration.
   */
  constructor(contenders: readonly Contender[], known: readonly Strategy[] = STRATEGIES) {
    this.runs = contenders.map((contender, index) => new Run(contender, String.fromCharCode(65 + index), known));
  }

  /** Trades so far. */
  get trades(): number {
    return this.read;
  }

  /**
   * Processes the next trade.
   *
   * @returns the events that each configuration derived, in the order given.
   * @throws TapeproofError USAGE when a strategy from a file does something wrong, with the place.
   */
  step({ trade, line }: TradeRow, path: string): readonly (readonly DerivedRecord[])[] {
    this.read += 1;
    const content = contentOf(trade);
    try {
      return this.runs.map((run) => run.step(content, { path, line }));
    } catch (error) {
      if (!(error instanceof StrategyFault)) throw error;
      const { eventId, instrument, eventTime } = error.snapshot;
      throw new TapeproofError(
        'USAGE',
        `${error.subject} ${error.message}. It was at ${path} line ${line}, ${eventId} of ${instrument} at ${isoTimeOf(eventTime)}.`,
        { cause: error },
      );
    }
  }

  /** The scores of each configuration so far, in the order given. */
  get scores(): readonly ScoreboardCount[] {
    return this.runs.map(({ count }) => count);
  }

  report(about: Pick<BacktestReport, 'complete' | 'files' | 'strategies'>): BacktestReport {
    const configurations = this.runs.map((run) => run.result());
    const [first, second] = configurations;
    return {
      schema: REPORT_SCHEMA,
      hypothetical: true,
      engineVersion: ENGINE_VERSION,
      ...about,
      trades: this.read,
      refusedRows: this.refusedRows.list(),
      configurations,
      differences:
        first === undefined || second === undefined
          ? []
          : differencesBetween(first.scoreboard.rows, second.scoreboard.rows),
    };
  }
}

/** One configuration over the trades. */
class Run {
  private readonly contender: Contender;
  private readonly label: string;
  private readonly task: PartitionTask;
  readonly count = new ScoreboardCount();
  private readonly refused = new Refusals();

  constructor(contender: Contender, label: string, known: readonly Strategy[]) {
    this.contender = contender;
    this.label = label;
    this.task = startDerivation(contender.configuration, { known, isUnproven: true });
  }

  step(content: ReturnType<typeof contentOf>, place: FileLine): readonly DerivedRecord[] {
    const { derived, deadLetters } = goOn(this.task, content);
    for (const { topic, event } of derived) this.count.observe(topic, event);
    for (const { reason, detail } of deadLetters) this.refused.add(reason, place, detail);
    return derived;
  }

  result(): ContenderResult {
    const { path, configuration } = this.contender;
    return {
      label: this.label,
      path,
      configHash: sha256Hex(canonicalConfiguration(configuration)),
      scoreboard: this.count.board(),
      counts: this.task.counts,
      instruments: this.task.overview.map(tradesOf),
      refused: this.refused.list(),
    };
  }
}
