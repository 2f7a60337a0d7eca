import Table from 'cli-table3';
import { counted } from '../../platform/counted.ts';
import { NOTHING, scoreboardText } from '../scoreboard/scoreboard-text.ts';
import { CHANGE_KINDS, type ChangeKind } from './decision-comparison.ts';
import type { PairedScore } from './paired-scores.ts';
import { fieldLines, headLines } from './tape-backtest.ts';
import { trialLines } from './trial-report.ts';
import {
  changedCount,
  type ChangeGist,
  type DecisionGist,
  type ExplainedChange,
  type WhatIfReport,
} from './what-if.ts';

const STYLE = { head: [], border: [] };
const SIDES = ['recorded', 'hypothetical'] as const;

/** A what-if for people. */
export function whatIfText(report: WhatIfReport): string {
  const { engineVersion, scoreboard, changes, trial, configurationDifferences } = report;
  const board =
    Object.keys(scoreboard.decisions).length === 0
      ? 'Nothing would have been decided.'
      : `HYPOTHETICAL scores:\n\n${scoreboardText(scoreboard)}`;
  return [
    [
      `What if: HYPOTHETICAL, as engine ${engineVersion} would have decided on this tape; nothing was written to the log.`,
      ...headLines(report),
      ...(configurationDifferences.length === 0
        ? ['The configuration is the one recorded last on the tape.']
        : ['Differences from the configuration recorded last:', ...fieldLines(configurationDifferences, [...SIDES])]),
    ].join('\n'),
    changesText(report),
    ...(changes.paired.length === 0 ? [] : [pairedText(changes.paired)]),
    ...report.explained.map(explainedText),
    board,
    ...(trial === null ? [] : [trialLines(trial).join('\n')]),
  ].join('\n\n');
}

function meaningOf(kind: ChangeKind, threshold: number): string {
  const meanings: Readonly<Record<ChangeKind, string>> = {
    rule: 'another hit rule: another question',
    direction: 'another direction',
    probability: `the same direction, probability by more than ${threshold}`,
    new: 'only hypothetical',
    gone: 'only recorded',
  };
  return meanings[kind];
}

function changesText({ changes, threshold }: WhatIfReport): string {
  const { compared, alike, changed, ahead, repeated, first, largest } = changes;
  const total = changedCount(changes);
  return [
    `HYPOTHETICAL against recorded: ${counted(compared, 'decision')}, ${alike.toLocaleString('en')} alike, ${total.toLocaleString('en')} changed.`,
    ...CHANGE_KINDS.filter((kind) => changed[kind] > 0).map(
      (kind) => `  ${kind.padEnd(12)}${changed[kind].toLocaleString('en').padStart(10)}  ${meaningOf(kind, threshold)}`,
    ),
    ...(ahead === 0 ? [] : [`  ${counted(ahead, 'decision')} after the end of the recorded log: not compared.`]),
    ...(repeated === 0
      ? []
      : [
          `  ${counted(repeated, 'repetition')} of recorded decisions and outcomes set aside: "npx tapeproof certify" compares their bytes.`,
        ]),
    ...(first.length === 0 ? [] : ['First:', ...first.map(changeLine)]),
    ...(largest.length === 0 ? [] : ['Largest:', ...largest.map(changeLine)]),
  ].join('\n');
}

function changeLine({ kind, decisionId, instrument, time, recorded, hypothetical }: ChangeGist): string {
  return `  ${kind.padEnd(12)}${decisionId}  ${instrument}  ${time}  ${sideText(recorded)} → ${sideText(hypothetical)}`;
}

function sideText(side: DecisionGist | null): string {
  return side === null ? 'nothing' : `${side.direction} ${side.probability}`;
}

function pairedText(paired: readonly PairedScore[]): string {
  const head = ['n', 'effective', 'opposite', 'void', 'Brier recorded', 'hypothetical', 'difference', '95 %'];
  const table = new Table({
    head: ['instrument', 'hit rule', ...head],
    colAligns: ['left', 'left', ...head.map(() => 'right' as const)],
    style: STYLE,
  });
  for (const score of paired) {
    const { instrument, hitRule, n, effectiveN, opposite, voids, differenceBand } = score;
    table.push([
      ...[instrument, hitRule, n.toLocaleString('en'), effectiveN.toFixed(1)],
      ...[opposite.toLocaleString('en'), voids.toLocaleString('en')],
      ...[figure(score.brierRecorded), figure(score.brierHypothetical), signed(score.difference)],
      differenceBand === null ? 'too few' : `${signed(differenceBand.low)} to ${signed(differenceBand.high)}`,
    ]);
  }
  return [
    'HYPOTHETICAL less recorded, on the same outcomes: decisions of both with a direction and the same hit rule.',
    table.toString(),
    'Below 0 the hypothetical forecasts are better; an interval that contains 0 does not distinguish the two.',
  ].join('\n');
}

function figure(value: number | null): string {
  return value?.toFixed(6) ?? NOTHING;
}

function signed(value: number | null): string {
  if (value === null) return NOTHING;
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(6)}`;
}

function explainedText(change: ExplainedChange): string {
  const { snapshot, decision } = change;
  return [
    `HYPOTHETICAL${changeLine(change).replace(/^ +/, ' ')}`,
    ...(snapshot === null
      ? ['  only one side took a snapshot there']
      : snapshot.length === 0
        ? ['  from the same indicators']
        : ['  the indicators differ:', ...fieldLines(snapshot, [...SIDES])]),
    ...(decision.length === 0 ? [] : ['  the decision differs:', ...fieldLines(decision, [...SIDES])]),
  ].join('\n');
}
