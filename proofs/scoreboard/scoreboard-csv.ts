import type { Interval } from '../../evaluators/outcomes/wilson.ts';
import type { Banded } from '../scores/resampling.ts';
import { csvOf, type CsvColumn } from '../csv.ts';
import type { ScoreRow } from './score-row.ts';

type Column = CsvColumn<ScoreRow>;

/** Every figure that is one number; curves and bins are in the JSON. */
const COLUMNS: readonly Column[] = [
  ['instrument', ({ instruments }) => instruments.join(' ')],
  ['forecast', ({ forecast }) => forecast],
  ['hit_rule_kind', ({ hitRule }) => hitRule.kind],
  ['horizon_ms', ({ hitRule }) => hitRule.horizonMs],
  ['min_move_bps', ({ hitRule }) => hitRule.minMoveBps],
  ['min_move_points', ({ hitRule }) => hitRule.minMovePoints],
  ['config_hash', ({ configHashes }) => configHashes.join(' ')],
  ['engine_version', ({ engineVersions }) => engineVersions.join(' ')],
  ['part_by', ({ part }) => part?.by ?? null],
  ['part', ({ part }) => part?.value ?? null],
  ['hits', ({ hits }) => hits],
  ['misses', ({ misses }) => misses],
  ['voids', ({ voids }) => voids],
  ['n', ({ n }) => n],
  ['effective_n', ({ effectiveN }) => effectiveN],
  ['hit_rate', ({ hitRate }) => hitRate],
  ...bounds('hit_rate', (row) => row.hitRateInterval),
  ['mean_published', ({ meanPublished }) => meanPublished],
  ['reference_rate', ({ referenceRate }) => referenceRate],
  ['brier_published', ({ brierPublished }) => brierPublished],
  ...bounds('brier_published', (row) => row.brierPublishedInterval),
  ['brier_reference', ({ brierReference }) => brierReference],
  ...bounds('brier_reference', (row) => row.brierReferenceInterval),
  ['skill_against_reference', (row) => row.skillAgainstReference],
  ...bounds('skill_against_reference', (row) => row.skillAgainstReferenceInterval),
  ['skill_against_climatology', (row) => row.skillAgainstClimatology],
  ...bounds('skill_against_climatology', (row) => row.skillAgainstClimatologyInterval),
  ['log_score', ({ logScore }) => logScore],
  ...bounds('log_score', (row) => row.logScoreInterval),
  ...banded('corp_miscalibration', ({ corp }) => corp?.miscalibration),
  ...banded('corp_discrimination', ({ corp }) => corp?.discrimination),
  ...banded('corp_uncertainty', ({ corp }) => corp?.uncertainty),
  ...banded('binned_reliability', ({ binned }) => binned?.reliability),
  ...banded('binned_resolution', ({ binned }) => binned?.resolution),
  ...banded('binned_uncertainty', ({ binned }) => binned?.uncertainty),
  ...banded('binned_within_variance', ({ binned }) => binned?.withinVariance),
  ...banded('binned_within_covariance', ({ binned }) => binned?.withinCovariance),
  ['calibration_error', (row) => row.calibrationError?.value ?? null],
  ['calibration_error_of_perfect_mean', (row) => row.calibrationError?.ofPerfectForecaster.mean ?? null],
  ...bounds('calibration_error_of_perfect', (row) => row.calibrationError?.ofPerfectForecaster ?? null),
  ['regret', ({ regret }) => regret?.regret ?? null],
  ['regret_best', ({ regret }) => regret?.best ?? null],
  ['regret_bound_without_delay', ({ regret }) => regret?.boundWithoutDelay ?? null],
  ['regret_delay_bound', ({ regret }) => regret?.delayBound ?? null],
  ['drift_alarms', ({ drift }) => drift?.alarms ?? null],
  ['mean_lead_ms', ({ meanLeadMs }) => meanLeadMs],
  [
    'withheld',
    ({ withheld }) => withheld.map(({ figures, sentence }) => `${figures.join(' ')}: ${sentence}`).join('; '),
  ],
];

/** One line for each row of the board, below a line of names (RFC 4180). A figure that is not shown is empty. */
export function scoreboardCsv(rows: readonly ScoreRow[]): string {
  return csvOf(COLUMNS, rows);
}

function bounds(name: string, intervalOf: (row: ScoreRow) => Interval | null): readonly Column[] {
  return [
    [`${name}_low`, (row) => intervalOf(row)?.low ?? null],
    [`${name}_high`, (row) => intervalOf(row)?.high ?? null],
  ];
}

function banded(name: string, bandedOf: (row: ScoreRow) => Banded | undefined): readonly Column[] {
  return [[name, (row) => bandedOf(row)?.estimate ?? null], ...bounds(name, (row) => bandedOf(row)?.band ?? null)];
}
