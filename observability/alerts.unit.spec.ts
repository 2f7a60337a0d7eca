import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { faultsOf } from '../tests/support/metric-usage.ts';
import { ALERT_CASES } from './alert-cases.ts';
import { ALERTS, runbookOf } from './alerts.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const fileOf = (name: string) => readFileSync(join(REPOSITORY, name), 'utf8');
const rules = (
  parse(fileOf('observability/prometheus/tapeproof.rules.yml')) as {
    readonly groups: readonly [{ readonly rules: readonly { readonly alert: string; readonly expr: string }[] }];
  }
).groups[0].rules;

describe('the alerts', () => {
  it('are the rules that Prometheus loads', () => {
    expect(rules.map(({ alert, expr }) => [alert, expr])).toEqual(
      ALERTS.map(({ name, expression }) => [name, expression]),
    );
    expect(new Set(ALERTS.map(({ name }) => name)).size).toBe(ALERTS.length);
  });

  it.each(ALERTS)('$name: asks for metrics and labels that exist, by what they are', ({ name, expression }) => {
    expect(name).toMatch(/^Tapeproof[A-Z][A-Za-z]+$/);
    expect(faultsOf(expression, '', true)).toEqual([]);
  });

  it.each(ALERTS)('$name: has a case that fires, and one that does not', ({ name }) => {
    const cases = ALERT_CASES[name] ?? [];
    expect(cases.some(({ fires }) => fires.length > 0)).toBe(true);
    expect(cases.some(({ fires }) => fires.length === 0)).toBe(true);
  });

  it.each(ALERTS)('$name: says what it means and what to do, where its link leads', (rule) => {
    for (const sentence of [rule.meaning, rule.action]) expect(sentence).toMatch(/^[A-Z].*\.$/);
    const [page = '', anchor] = runbookOf(rule).split('#');
    const headings = [...fileOf(page).matchAll(/^## (\w+)$/gm)].map(([, heading = '']) => heading.toLowerCase());
    expect(headings).toContain(anchor);
  });
});
