import { canonicalConfiguration, ENGINE_VERSION } from '../../evaluators/configuration.ts';
import type { IndicatorSnapshot } from '../../contracts/generated/events.ts';
import { sha256Hex } from '../../contracts/codec.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { EventLog } from '../../proofs/event-log.ts';
import { DecisionComparison, subjectOf, type DecisionChange } from '../../proofs/laboratory/decision-comparison.ts';
import { runOverTape, selectionOf } from '../../proofs/laboratory/tape-experiment.ts';
import {
  changeCsv,
  changesCsvHead,
  configurationDifferences,
  explained,
  gistOf,
  HYPOTHETICAL,
  WHAT_IF_SCHEMA,
  type ExplainedChange,
  type WhatIfReport,
} from '../../proofs/laboratory/what-if.ts';
import { whatIfText } from '../../proofs/laboratory/what-if-text.ts';
import type { GridOptions } from '../commands/laboratory-options.ts';
import type { JsonOption } from '../commands/options.ts';
import { print, readConfiguration } from '../context.ts';
import { interruption } from '../interruption.ts';
import { hashesOf, knownStrategies, loadStrategies, namesOf } from '../laboratory/own-strategies.ts';
import { laboratoryOf, partsOf, queryOf, withTapeBar, type TapeSelectionOptions } from '../laboratory/tape-source.ts';
import { onlySkill, recordTrials } from '../laboratory/trial-recorder.ts';
import { withEvents, type Events } from '../with-events.ts';
import { runTapeGrid } from './grid.ts';

export interface WhatIfOptions extends JsonOption, GridOptions, TapeSelectionOptions {
  readonly config: string;
  readonly strategy?: readonly string[];
  readonly threshold: number;
  readonly explain?: number;
  readonly csv?: true;
}

const STOPPED = 130;
/** First changes in a report where no more are to be explained. */
const FIRST_MAX = 5;

export async function runWhatIf(options: WhatIfOptions): Promise<void> {
  const { json, csv, grid, explain } = options;
  if (json === true && csv === true) throw new TapeproofError('USAGE', 'Give --json or --csv, not both.');
  if (explain !== undefined && (grid !== undefined || csv === true)) {
    throw new TapeproofError('USAGE', 'Decisions of one configuration are explained: leave out --grid and --csv.');
  }
  queryOf(options);
  const signal = interruption();
  await withEvents('what-if', async (events) => {
    if (grid !== undefined) await runTapeGrid(events, { ...options, grid }, options.threshold, signal);
    else await whatIf(events, options, signal);
  });
}

async function whatIf(events: Events, options: WhatIfOptions, signal: AbortSignal): Promise<void> {
  const { config, strategy = [], threshold, explain = 0, csv, json } = options;
  const own = await loadStrategies(strategy);
  const known = knownStrategies(own);
  const configuration = await readConfiguration(config, known);
  const query = queryOf(options);
  const parts = await partsOf(events, options);
  const changed: string[] = [];
  const withDecisions = new DecisionComparison({
    ...{ ...query, threshold, firstMax: Math.max(explain, FIRST_MAX) },
    onChange: csv === true ? (change) => changed.push(changeCsv(change)) : undefined,
  });
  const result = await withTapeBar('what-if', parts, (onProgress) =>
    runOverTape(laboratoryOf(events), { parts, configuration, known, signal, withDecisions, onProgress }),
  );
  const scoreboard = result.count.board(query);
  const configHash = sha256Hex(canonicalConfiguration(configuration));
  const selection = selectionOf(query);
  const figures = onlySkill(scoreboard);
  const [trial = null] = await recordTrials(events, [
    {
      ...{ kind: 'WHAT_IF', configHash, strategies: hashesOf(own), tapeId: result.tapeId, ranges: result.parts },
      ...{ fileHashes: [], selection, figures },
    },
  ]);
  if (!result.complete) process.exitCode = STOPPED;
  if (csv === true) {
    process.stdout.write(changesCsvHead() + changed.join(''));
    return;
  }
  const { first, largest, ...changes } = withDecisions.report();
  const report: WhatIfReport = {
    ...{ schema: WHAT_IF_SCHEMA, label: HYPOTHETICAL, hypothetical: true, engineVersion: ENGINE_VERSION, threshold },
    ...{ complete: result.complete, tapeId: result.tapeId, parts: result.parts, records: result.records, selection },
    ...{ configuration: { path: config, configHash }, strategies: namesOf(own) },
    configurationDifferences: configurationDifferences(result.recordedConfiguration, configuration),
    changes: { ...changes, first: first.slice(0, FIRST_MAX).map(gistOf), largest: largest.map(gistOf) },
    explained: await explainedChanges(events.log, first.slice(0, explain)),
    ...{ scoreboard, instruments: result.instruments, notDerived: result.notDerived, trial },
  };
  print(json, report, () => whatIfText(report));
}

async function explainedChanges(
  log: EventLog,
  changes: readonly DecisionChange[],
): Promise<readonly ExplainedChange[]> {
  const all: ExplainedChange[] = [];
  for (const change of changes) all.push(explained(change, await recordedSnapshot(log, change)));
  return all;
}

/** The recorded snapshot of the same tape record. */
async function recordedSnapshot(log: EventLog, change: DecisionChange): Promise<IndicatorSnapshot | undefined> {
  if (change.recorded === undefined) return undefined;
  const { partition, offset } = subjectOf(change).tape;
  return (await log.follow('IndicatorSnapshot', `snapshot-${partition}-${offset}-0`))?.event;
}
