import { stringify } from 'yaml';
import type { AlertRule } from '../platform/metrics/definition.ts';
import { ALERT_CASES, MINUTES, type AlertCase } from './alert-cases.ts';
import { ALERTS, runbookOf } from './alerts.ts';

const GENERATED = (from: string) => `# Generated from ${from} by \`npm run generate\`. Do not edit.\n`;
const RULES_FILE = 'tapeproof.rules.yml';
/** Long expressions stay on one line, to be pasted. */
const STYLE = { lineWidth: 0 } as const;

/** The rules that Prometheus loads. */
export function rulesFile(): string {
  const rules = ALERTS.map((rule) => ({
    alert: rule.name,
    expr: rule.expression,
    for: `${rule.forS}s`,
    labels: labelsOf(rule),
    annotations: annotationsOf(rule),
  }));
  return `${GENERATED('platform/metrics and observability/alerts.ts')}${stringify({ groups: [{ name: 'tapeproof', rules }] }, STYLE)}`;
}

/** Their tests: `promtool test rules FILE`. */
export function rulesTestFile(): string {
  const tests = ALERTS.flatMap((rule) => (ALERT_CASES[rule.name] ?? []).map((each) => testOf(rule, each)));
  const file = { rule_files: [RULES_FILE], evaluation_interval: '1m', tests };
  return `${GENERATED('observability/alert-cases.ts')}${stringify(file, STYLE)}`;
}

function testOf(rule: AlertRule, { series, fires }: AlertCase): object {
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([selector, values]) => ({ series: selector, values })),
    alert_rule_test: [
      {
        eval_time: `${MINUTES}m`,
        alertname: rule.name,
        exp_alerts: fires.map((labels) => ({
          exp_labels: { ...labelsOf(rule), ...labels },
          exp_annotations: annotationsOf(rule),
        })),
      },
    ],
  };
}

function labelsOf({ severity }: AlertRule): { readonly severity: string } {
  return { severity: severity ?? 'warning' };
}

function annotationsOf(rule: AlertRule): Readonly<Record<string, string>> {
  return { summary: rule.meaning, description: rule.action, runbook_url: runbookOf(rule) };
}

/** docs/alerts.md: what to do for each. */
export function alertsPage(): string {
  const sections = ALERTS.map((rule) => {
    const { name, expression, forS, meaning, action } = rule;
    const { severity } = labelsOf(rule);
    const duration = forS === 0 ? 'at once' : `after ${forS} s`;
    return `## ${name}\n\n${meaning}\n\n**Do:** ${action}\n\nFires ${duration}, as ${severity}, where\n\n    ${expression}\n`;
  });
  return `# Alerts

<!-- Generated from platform/metrics and observability/alerts.ts by \`npm run generate\`. Do not edit. -->

The rules are in [observability/prometheus/tapeproof.rules.yml](../observability/prometheus/tapeproof.rules.yml), and each
links to its section here. \`critical\` wakes somebody; \`warning\` can wait for working hours. Their tests, for each
a case that fires and cases that do not, are beside it: \`promtool test rules tapeproof.rules.test.yml\`.

${sections.join('\n')}`;
}
