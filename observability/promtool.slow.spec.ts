import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { METRICS } from '../platform/metrics/catalogue.ts';
import type { MetricDefinition } from '../platform/metrics/definition.ts';
import { Metrics } from '../platform/metrics/metrics.ts';
import { hasPromtool, promtool, PROMTOOL_NOTE } from '../tests/support/promtool.ts';
import { DASHBOARDS } from './dashboards/catalogue.ts';

const FOLDER = join(import.meta.dirname, 'prometheus');
const folder = mkdtempSync(join(tmpdir(), 'tapeproof-promtool-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Values that panels select by. */
const TOPICS = ['raw.trades', 'decision.outcomes'];
const SOME = '0+1x40';

/** A series of each metric, or one for each of the values that matter. */
function seriesOf([name, { type, labels }]: [string, MetricDefinition]): string[] {
  const topics = labels.includes('topic') ? TOPICS : [''];
  return topics.flatMap((topic) => {
    const given = labels.map((label) => `, ${label}="${label === 'topic' ? topic : 'x'}"`).join('');
    const suffixes = type === 'histogram' ? ['_bucket{le="1", ', '_bucket{le="+Inf", '] : ['{'];
    return suffixes.map((suffix) => `${name}${suffix}instance="a:1", job="tapeproof"${given}}`);
  });
}

/** An alert for each query of a panel, which fires where the query finds nothing. */
const emptyPanels = DASHBOARDS.flatMap(({ uid, rows }) =>
  rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expression }, index) => ({
        alert: `${uid} ${title} ${index}`.replaceAll(/[^A-Za-z]+(\w)/g, (_match, letter: string) =>
          letter.toUpperCase(),
        ),
        expr: `absent(${expression.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*')})`,
      })),
    ),
  ),
);

function testPanels(series: readonly string[]): ReturnType<typeof promtool> {
  const rules = join(folder, 'panels.rules.yml');
  const tests = join(folder, 'panels.test.yml');
  writeFileSync(rules, stringify({ groups: [{ name: 'panels', rules: emptyPanels }] }));
  const file = {
    rule_files: [rules],
    tests: [
      {
        interval: '1m',
        input_series: series.map((selector) => ({ series: selector, values: SOME })),
        alert_rule_test: emptyPanels.map(({ alert }) => ({ eval_time: '20m', alertname: alert, exp_alerts: [] })),
      },
    ],
  };
  writeFileSync(tests, stringify(file));
  return promtool(['test', 'rules', tests]);
}

describe.skipIf(!hasPromtool)(`promtool${PROMTOOL_NOTE}`, () => {
  it('takes the configuration and the rules', () => {
    expect(promtool(['check', 'config', join(FOLDER, 'prometheus.yml')])).toMatchObject({ exitCode: 0 });
    expect(
      promtool(['check', 'rules', '--lint=all', '--lint-fatal', join(FOLDER, 'tapeproof.rules.yml')]),
    ).toMatchObject({ exitCode: 0 });
  });

  it('sees each alert fire where it must, and nowhere else', () => {
    expect(promtool(['test', 'rules', join(FOLDER, 'tapeproof.rules.test.yml')])).toMatchObject({ exitCode: 0 });
  });

  it('finds values for each panel', () => {
    const process = ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds'];
    const series = [
      ...Object.entries<MetricDefinition>(METRICS).flatMap(seriesOf),
      ...process.map((name) => `${name}{instance="a:1", job="tapeproof"}`),
    ];
    expect(testPanels(series)).toMatchObject({ exitCode: 0 });
    // And says so where there are none.
    const without = testPanels(series.filter((name) => !name.startsWith('tapeproof_oracle_checked_total')));
    expect(without.exitCode).toBe(1);
    expect(without.said.match(/alertname: \w+/g)).toEqual(['alertname: tapeproofProofsSnapshotsChecked0']);
  });

  it('has nothing to say about the names and types of the metrics', async () => {
    const metrics = new Metrics();
    expect(promtool(['check', 'metrics'], await metrics.text())).toEqual({ exitCode: 0, said: '' });
  });
});
