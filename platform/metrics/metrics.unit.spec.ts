import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePrometheus } from '../../tests/support/prometheus-text.ts';
import { METRICS } from './catalogue.ts';
import type { MetricDefinition } from './definition.ts';
import { Metrics, metricsOf } from './metrics.ts';

const DEFINITIONS = Object.entries<MetricDefinition>(METRICS);
const DOCUMENT = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'metrics.md'), 'utf8');

describe('the catalogue of metrics', () => {
  it.each(DEFINITIONS)('%s is named by the conventions', (name, { type, labels, help, buckets }) => {
    expect(name).toMatch(/^tapeproof_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    // Base units only.
    expect(name).not.toMatch(/milli|micro|_ms|_us|minutes|percent|kilo|mega/);
    if (type === 'histogram') {
      expect(name).toMatch(/_seconds$/);
      expect(buckets).toEqual([...(buckets ?? [])].sort((left, right) => left - right));
    }
    // No identities: a label is one of our names, a topic, a partition, or the operator's own choice.
    for (const label of labels) expect(label).not.toMatch(/id$|offset|message|le$|quantile/);
    expect(help).toMatch(/^[A-Z0-9].*\.$/s);
  });

  it.each(DEFINITIONS)('%s is documented', (name, { help }) => {
    expect(DOCUMENT).toContain(`| \`${name}\` |`);
    expect(DOCUMENT).toContain(help.replaceAll('|', '\\|'));
  });

  it.each(DEFINITIONS.filter(([, { alert }]) => alert !== undefined))(
    'the alert of %s uses that metric, and states what it means and what to do',
    (name, { alert }) => {
      expect(alert?.expression).toContain(name);
      for (const sentence of [alert?.meaning, alert?.action]) expect(sentence).toMatch(/^[A-Z].*\.$/);
    },
  );

  it('documents nothing else', () => {
    const documented = new Set([...DOCUMENT.matchAll(/`(tapeproof_[a-z_]+)`/g)].map(([, name]) => name));
    expect(documented).toEqual(new Set(Object.keys(METRICS)));
  });
});

describe('Metrics', () => {
  it('has the metrics of its process, in a scraper’s format', async () => {
    const metrics = new Metrics('engine');
    metrics.includeProcess();
    metrics.count('tapeproof_engine_anchors_total', { partition: 3 }, 2);
    metrics.set('tapeproof_build_info', { service: 'a "b"\n\\c', version: '1', commit: 'x', node: 'y' }, 1);
    metrics.observe('tapeproof_engine_step_seconds', {}, 3e-6);
    const families = parsePrometheus(await metrics.text());
    const ours = [...families.keys()].filter((name) => name.startsWith('tapeproof_'));
    expect(new Set(ours)).toEqual(new Set(metricsOf('engine')));
    expect(families.has('process_cpu_seconds_total')).toBe(true);
    expect(families.get('tapeproof_engine_anchors_total')?.samples).toEqual([
      { name: 'tapeproof_engine_anchors_total', labels: { partition: '3' }, value: 2 },
    ]);
    expect(families.get('tapeproof_build_info')?.samples[0]?.labels['service']).toBe('a "b"\n\\c');
    const steps = families.get('tapeproof_engine_step_seconds')?.samples ?? [];
    expect(steps.find(({ labels }) => labels['le'] === '0.000005')?.value).toBe(1);
    expect(steps.find(({ labels }) => labels['le'] === '0.000002')?.value).toBe(0);
  });

  it('brings a counter up to a total, never down, and shows it from 0', async () => {
    const metrics = new Metrics('engine');
    const valueOf = async () =>
      parsePrometheus(await metrics.text()).get('tapeproof_log_lines_suppressed_total')?.samples[0]?.value;
    const to = (total: number): void => {
      metrics.countUpTo('tapeproof_log_lines_suppressed_total', { action: 'dead-letter' }, total);
    };
    expect(await valueOf()).toBeUndefined();
    to(0);
    expect(await valueOf()).toBe(0);
    to(5);
    to(5);
    to(3);
    to(9);
    expect(await valueOf()).toBe(9);
  });

  it('forgets a series, and collectors that ended', async () => {
    const metrics = new Metrics('engine');
    let scrapes = 0;
    const end = metrics.beforeScrape(() => {
      scrapes += 1;
      metrics.set('tapeproof_engine_anchor_age_records', { partition: 0 }, scrapes);
    });
    const samples = async () =>
      parsePrometheus(await metrics.text()).get('tapeproof_engine_anchor_age_records')?.samples ?? [];
    expect(await samples()).toMatchObject([{ value: 1 }]);
    end();
    metrics.remove('tapeproof_engine_anchor_age_records', { partition: 0 });
    expect(await samples()).toEqual([]);
  });
});
