import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../platform/metrics/catalogue.ts';
import { faultsOf, metricOf } from '../../tests/support/metric-usage.ts';
import { readPromQl } from '../../tests/support/promql.ts';

/** The committed files, as Grafana loads them; that they are up to date is `npm run check:generated`. */
const FOLDER = join(import.meta.dirname, '..', 'grafana', 'dashboards');
/** Metrics that are on no panel, each with the reason: none. */
const ON_NO_PANEL: readonly string[] = [];
const GRID_COLUMNS = 24;

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly Target[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}
interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

const dashboards = readdirSync(FOLDER).map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Dashboard);
const graphs = dashboards.flatMap(({ title, panels }) =>
  panels.filter(({ type }) => type !== 'row').map((panel) => ({ name: `${title}, ${panel.title}`, ...panel })),
);
/** Grafana replaces its variables before Prometheus sees them. */
const asSent = (expression: string) => expression.replaceAll('$__rate_interval', '5m');

describe('the dashboards', () => {
  it.each(graphs)('$name: asks for metrics and labels that exist, by what they are', ({ targets = [] }) => {
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr, legendFormat } of targets) expect(faultsOf(asSent(expr), legendFormat), expr).toEqual([]);
  });

  it('show every metric', () => {
    const shown = new Set(
      graphs.flatMap(({ targets = [] }) =>
        targets.flatMap(({ expr }) => readPromQl(asSent(expr)).selectors.map(({ metric }) => metricOf(metric))),
      ),
    );
    const missing = Object.keys(METRICS).filter((name) => !shown.has(name));
    expect(missing).toEqual(ON_NO_PANEL);
  });

  it('say what each panel means', () => {
    for (const { name, description } of graphs) expect(description, name).toMatch(/^[A-Z].*\.$/);
  });

  it('have names of their own, and panels that do not cover each other', () => {
    const unique = (values: readonly unknown[]) => new Set(values).size === values.length;
    expect(unique(dashboards.map(({ uid }) => uid))).toBe(true);
    for (const { title, panels } of dashboards) {
      expect(unique(panels.map(({ id }) => id)), title).toBe(true);
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
        expect(x + w).toBeLessThanOrEqual(GRID_COLUMNS);
        return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
      });
      expect(unique(cells), title).toBe(true);
    }
  });
});

describe('the check of an expression', () => {
  it.each([
    ['rate(tapeproof_engine_hit_ratio[5m])', 'rate of tapeproof_engine_hit_ratio, a gauge'],
    ['tapeproof_engine_anchors_total', 'tapeproof_engine_anchors_total without a rate'],
    ['max_over_time(tapeproof_engine_anchors_total[5m])', 'max_over_time of tapeproof_engine_anchors_total, a counter'],
    ['sum by (le) (rate(tapeproof_engine_anchor_total[5m]))', 'tapeproof_engine_anchor_total is not a metric'],
    ['rate(tapeproof_engine_step_seconds[5m])', 'tapeproof_engine_step_seconds is not a metric'],
    ['tapeproof_engine_hit_ratio{topic="x"}', 'tapeproof_engine_hit_ratio has no label topic'],
    ['max by (topic) (tapeproof_engine_hit_ratio)', 'nothing has the label topic'],
    [
      'histogram_quantile(0.9, rate(tapeproof_engine_step_seconds_sum[5m]))',
      'a quantile of tapeproof_engine_step_seconds_sum',
    ],
    [
      'histogram_quantile(0.9, rate(tapeproof_engine_anchors_total[5m]))',
      'a quantile of tapeproof_engine_anchors_total',
    ],
  ])('%s: %s', (expression, fault) => {
    expect(faultsOf(expression)).toContain(fault);
  });

  it('refuses what is not PromQL, and a legend of a label that is gone', () => {
    expect(() => faultsOf('sum(')).toThrow('not PromQL');
    expect(() => faultsOf('tapeproof_engine_hit_ratio{strategy=}')).toThrow('not PromQL');
    expect(faultsOf('max by (strategy) (tapeproof_engine_hit_ratio)', '{{strategy}} {{instance}}')).toEqual([
      'the legend has no label instance',
    ]);
    expect(faultsOf('tapeproof_engine_hit_ratio', '{{strategy}} {{instance}}')).toEqual([]);
  });
});
