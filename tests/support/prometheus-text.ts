/** A strict parser of Prometheus' text format: anything that a scraper would refuse is an error here. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/y;
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

/** @throws Error naming the invalid line. */
export function parsePrometheus(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, { name: string; type: string; help: string; samples: Sample[] }>();
  let current: { name: string; type: string; help: string; samples: Sample[] } | undefined;
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (kind === 'HELP') {
      if (families.has(name)) throw new Error(`${name} is described twice`);
      current = { name, type: '', help: rest, samples: [] };
      families.set(name, current);
    } else if (kind === 'TYPE') {
      if (current?.name !== name || current.type !== '') throw new Error(`a type out of place: ${line}`);
      if (!['counter', 'gauge', 'histogram', 'summary'].includes(rest)) throw new Error(`unknown type: ${line}`);
      current.type = rest;
    } else {
      const sample = parseSample(line);
      const suffixes = SUFFIXES[current?.type ?? ''] ?? [''];
      if (current === undefined || !suffixes.some((suffix) => sample.name === `${current?.name ?? ''}${suffix}`)) {
        throw new Error(`a sample out of place: ${line}`);
      }
      const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (seen.has(identity)) throw new Error(`a sample twice: ${line}`);
      seen.add(identity);
      current.samples.push(sample);
    }
  }
  return families;
}

function parseSample(line: string): Sample {
  const [, name, labelText, valueText = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined || !NUMBER.test(valueText)) throw new Error(`not a valid sample: ${line}`);
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; labelText !== undefined && LABEL.lastIndex < labelText.length;) {
    const [, label, value] = LABEL.exec(labelText) ?? [];
    if (label === undefined || value === undefined || label in labels) throw new Error(`not valid labels: ${line}`);
    labels[label] = value.replace(/\\([\\n"])/g, (_escape, letter: string) => (letter === 'n' ? '\n' : letter));
  }
  return { name, labels, value: Number(valueText.replace('Inf', 'Infinity')) };
}
