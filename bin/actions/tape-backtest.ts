import { sha256Hex } from '../../contracts/codec.ts';
import { canonicalConfiguration, ENGINE_VERSION, type EngineConfiguration } from '../../evaluators/configuration.ts';
import { LogComparison } from '../../proofs/laboratory/log-comparison.ts';
import {
  isWhollyEqual,
  TAPE_BACKTEST_SCHEMA,
  tapeBacktestText,
  type TapeBacktestReport,
} from '../../proofs/laboratory/tape-backtest.ts';
import { runOverTape, selectionOf } from '../../proofs/laboratory/tape-experiment.ts';
import type { Strategy } from '../../evaluators/strategies/strategy.ts';
import { print, readConfiguration } from '../context.ts';
import { hashesOf, knownStrategies, loadStrategies, namesOf } from '../laboratory/own-strategies.ts';
import { laboratoryOf, partsOf, queryOf, withTapeBar, type TapeSelectionOptions } from '../laboratory/tape-source.ts';
import { onlySkill, recordTrials } from '../laboratory/trial-recorder.ts';
import type { Events } from '../with-events.ts';

export interface TapeBacktestOptions extends TapeSelectionOptions {
  /** Undefined for the configurations recorded on the tape. */
  readonly config: string | undefined;
  readonly strategy?: readonly string[];
  readonly compare?: true;
  readonly json?: true;
}

const STOPPED = 130;
const DIFFERENT = 1;

/** A backtest over the recorded tape; one with a configuration is recorded as a trial. */
export async function runTapeBacktest(
  events: Events,
  options: TapeBacktestOptions,
  signal: AbortSignal,
): Promise<void> {
  const { config, strategy = [], compare, json } = options;
  const own = await loadStrategies(strategy);
  const known = knownStrategies(own);
  const tried = config === undefined ? undefined : await triedConfiguration(config, known);
  const query = queryOf(options);
  const parts = await partsOf(events, options);
  const withLog = compare === true ? new LogComparison(events.log) : undefined;
  const result = await withTapeBar('backtest', parts, (onProgress) =>
    runOverTape(laboratoryOf(events), {
      ...{ parts, configuration: tried?.configuration, known, signal, withLog, onProgress },
    }),
  );
  const scoreboard = result.count.board(query);
  const selection = selectionOf(query);
  const trials =
    tried === undefined
      ? []
      : await recordTrials(events, [
          {
            ...{ kind: 'BACKTEST', configHash: tried.configHash, strategies: hashesOf(own), fileHashes: [], selection },
            ...{ tapeId: result.tapeId, ranges: result.parts, figures: onlySkill(scoreboard) },
          },
        ]);
  const report: TapeBacktestReport = {
    ...{ schema: TAPE_BACKTEST_SCHEMA, hypothetical: tried !== undefined, engineVersion: ENGINE_VERSION },
    ...{ complete: result.complete, tapeId: result.tapeId, parts: result.parts, records: result.records, selection },
    configuration: tried === undefined ? null : { path: tried.path, configHash: tried.configHash },
    ...{ strategies: namesOf(own), scoreboard, instruments: result.instruments, notDerived: result.notDerived },
    ...{ log: withLog?.report() ?? null, trial: trials[0] ?? null },
  };
  print(json, report, () => tapeBacktestText(report));
  if (!isWhollyEqual(report)) process.exitCode = DIFFERENT;
  if (!result.complete) process.exitCode = STOPPED;
}

async function triedConfiguration(
  path: string,
  known: readonly Strategy[],
): Promise<{ path: string; configuration: EngineConfiguration; configHash: string }> {
  const configuration = await readConfiguration(path, known);
  return { path, configuration, configHash: sha256Hex(canonicalConfiguration(configuration)) };
}
