import { shown } from '../../contracts/statement-text.ts';
import { counted } from '../../platform/counted.ts';
import { csvOf, foreignText, type CsvColumn } from '../csv.ts';
import { durationText } from '../duration-text.ts';
import { commitText, statementText } from '../provenance-text.ts';
import type { Recommendation } from './recommendation.ts';
import type { RecommendationsReport } from './recommendations.ts';

const HASH_DIGITS = 12;

/** The decisions of a period, for people. */
export function recommendationsText(report: RecommendationsReport): string {
  const { document, instrument, from, to, recommendations } = report;
  return [
    `Decisions for ${instrument} from ${from} to ${to}`,
    '',
    ...document,
    ...recommendations.flatMap((recommendation) => ['', ...recommendationLines(recommendation)]),
    '',
    `${counted(recommendations.length, 'decision')}.`,
  ].join('\n');
}

function recommendationLines(recommendation: Recommendation): string[] {
  const { eventId, producedAt, publishedAt, instrument, direction, probability, confidence, level } = recommendation;
  const { validity, assumptions, substantiation, responsible, outcome, reference } = recommendation;
  const { raw, calibrated } = probability;
  const { referenceRate, calibration, strategies, configHash } = assumptions;
  const { lastPrice, vwap, pointOfControl, valueAreaLow, valueAreaHigh, rangeLow, rangeHigh } =
    substantiation.indicators;
  const made = raw === null ? '' : ` (raw ${raw}, calibrated ${calibrated ?? '?'})`;
  const learned =
    calibration === null
      ? 'no calibration'
      : `reference rate ${referenceRate ?? '?'}, slope ${calibration.slope}, intercept ${calibration.intercept} from ${calibration.effectiveN} effective outcomes`;
  const range = rangeLow === null || rangeHigh === null ? 'not yet' : `${rangeLow} to ${rangeHigh}`;
  return [
    `${eventId}  ${instrument}  ${direction}  p ${probability.published}${made}  confidence ${confidence} ${level}`,
    `  produced        ${producedAt}, published ${publishedAt ?? 'at a time that the log does not say'}`,
    `  valid           ${validityText(validity)}`,
    `  assumptions     configuration ${configHash.slice(0, HASH_DIGITS)}, strategies ${strategies.map(({ name }) => name).join(', ')}; ${learned}`,
    `  substantiation  ${substantiation.sentence}`,
    ...substantiation.strategies.map(
      ({ strategy, direction: way, probability: p, sentence }) =>
        `                  ${strategy} ${way} p ${p}: ${sentence}`,
    ),
    `  indicators      last ${lastPrice}, VWAP ${vwap}, point of control ${pointOfControl}, value area ${valueAreaLow} to ${valueAreaHigh}, range ${range}`,
    `  responsible     ${statementText(responsible)}; engine ${shown(responsible.engineVersion)}, commit ${commitText(responsible)}, activation ${shown(responsible.activationId)}`,
    `  outcome         ${outcomeText(outcome, direction)}`,
    `  reference       ${reference.topic}-${reference.partition} @ ${reference.offset}, SHA-256 ${reference.hash}${checkpointText(reference)}; "${reference.audit}"`,
  ];
}

function checkpointText({ checkpoint }: Recommendation['reference']): string {
  if (checkpoint === null) return ', in no checkpoint yet';
  return `, leaf ${checkpoint.index} of ${checkpoint.size} in ${shown(checkpoint.origin)}`;
}

function validityText({
  kind,
  horizonMs,
  until,
  referencePrice,
  minMoveBps,
  minMovePoints,
}: Recommendation['validity']): string {
  const least = minMovePoints === null ? `${minMoveBps} bp of` : `${minMovePoints} points from`;
  const how =
    kind === 'FIRST_TOUCH' ? 'the price first moves that way by' : 'the price has then moved that way by more than';
  return `${durationText(horizonMs)}, until ${until}: a HIT where ${how} ${least} ${referencePrice}`;
}

function outcomeText(outcome: Recommendation['outcome'], direction: string): string {
  if (outcome === null) return direction === 'NEUTRAL' ? 'none: NEUTRAL is not scored' : 'pending';
  const { verdict, eventId, at, observedPrice, moveBps } = outcome;
  const move = observedPrice === null ? '' : `, price ${observedPrice}${moveBps === null ? '' : `, ${moveBps} bp`}`;
  return `${verdict} ${eventId} at ${at}${move}`;
}

const COLUMNS: readonly CsvColumn<Recommendation>[] = [
  ['event_id', ({ eventId }) => eventId],
  ['produced_at', ({ producedAt }) => producedAt],
  ['published_at', ({ publishedAt }) => publishedAt],
  ['instrument', ({ instrument }) => foreignText(instrument)],
  ['direction', ({ direction }) => direction],
  ['probability', ({ probability }) => probability.published],
  ['raw_probability', ({ probability }) => probability.raw],
  ['calibrated_probability', ({ probability }) => probability.calibrated],
  ['confidence', ({ confidence }) => confidence],
  ['level', ({ level }) => level],
  ['hit_rule_kind', ({ validity }) => validity.kind],
  ['horizon_ms', ({ validity }) => validity.horizonMs],
  ['valid_until', ({ validity }) => validity.until],
  ['reference_price', ({ validity }) => validity.referencePrice],
  ['min_move_bps', ({ validity }) => validity.minMoveBps],
  ['min_move_points', ({ validity }) => validity.minMovePoints],
  ['config_hash', ({ assumptions }) => assumptions.configHash],
  ['strategies', ({ assumptions }) => assumptions.strategies.map(({ name }) => name).join(' ')],
  ['reference_rate', ({ assumptions }) => assumptions.referenceRate],
  ['calibration_slope', ({ assumptions }) => assumptions.calibration?.slope ?? null],
  ['calibration_intercept', ({ assumptions }) => assumptions.calibration?.intercept ?? null],
  [
    'substantiation',
    ({ substantiation }) =>
      [substantiation.sentence, ...substantiation.strategies.map((each) => `${each.strategy}: ${each.sentence}`)].join(
        ' | ',
      ),
  ],
  ['snapshot_id', ({ substantiation }) => substantiation.snapshotId],
  ['actor', ({ responsible }) => foreignText(responsible.actor)],
  ['reason', ({ responsible }) => foreignText(responsible.reason)],
  ['approver', ({ responsible }) => foreignText(responsible.approver)],
  ['activation_id', ({ responsible }) => foreignText(responsible.activationId)],
  ['engine_version', ({ responsible }) => foreignText(responsible.engineVersion)],
  ['git_commit', ({ responsible }) => foreignText(responsible.gitCommit)],
  ['verdict', ({ outcome }) => outcome?.verdict ?? null],
  ['outcome_id', ({ outcome }) => outcome?.eventId ?? null],
  ['outcome_at', ({ outcome }) => outcome?.at ?? null],
  ['hash', ({ reference }) => reference.hash],
  ['checkpoint_origin', ({ reference }) => foreignText(reference.checkpoint?.origin ?? null)],
  ['checkpoint_size', ({ reference }) => reference.checkpoint?.size ?? null],
  ['leaf_index', ({ reference }) => reference.checkpoint?.index ?? null],
  ['document', () => 'probabilities, not predictions or advice'],
];

/** One line for each decision. */
export function recommendationsCsv({ recommendations }: RecommendationsReport): string {
  return csvOf(COLUMNS, recommendations);
}
