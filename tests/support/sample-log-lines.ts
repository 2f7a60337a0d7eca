import { createLog } from '../../platform/log.ts';
import { LOG_EVENT_FIELDS } from '../../platform/log-event-fields.ts';
import { LOG_EVENTS, type EveryAction, type LogAction, type SampledAction } from '../../platform/log-events.ts';
import { LOG_FIELDS, type FieldType } from '../../platform/log-field-catalogue.ts';

export type LogLine = Readonly<Record<string, unknown>>;

/** Of fields whose form matters to a search. */
const TELLING: Readonly<Record<string, string>> = {
  'event.id': 'decision-3-18540-0',
  'tapeproof.forecast_id': 'decision-3-18540-0',
};
const SAMPLES: Readonly<Record<FieldType, string | number | boolean>> = {
  keyword: 'BTC-USDT@binance',
  match_only_text: 'A sentence.',
  wildcard: 'http://127.0.0.1:1/metrics',
  date: '2026-11-26T00:00:00.000Z',
  long: 1_742_943_600_000_000,
  double: 0.642197,
  boolean: true,
};

/** A line of each kind as the log writes it, with every field that the kind may have. */
export function sampleLogLines(): ReadonlyMap<LogAction, LogLine> {
  const lines = new Map<LogAction, LogLine>();
  for (const action of Object.keys(LOG_EVENTS) as LogAction[]) {
    const log = createLog('engine', 'trace', {
      write: (line) => {
        lines.set(action, JSON.parse(line) as LogLine);
      },
    });
    const fields = Object.fromEntries(LOG_EVENT_FIELDS[action].map((name) => [name, sampleOf(name)]));
    if (LOG_EVENTS[action].sampled) log.sampled(action as SampledAction)?.(`A line of ${action}`, fields);
    else log.event(action as EveryAction, `A line of ${action}`, fields);
  }
  return lines;
}

function sampleOf(name: keyof typeof LOG_FIELDS | 'error'): unknown {
  if (name === 'error')
    return Object.assign(new Error('refused', { cause: new TypeError('why') }), { code: 'CONFLICT' });
  return TELLING[name] ?? SAMPLES[LOG_FIELDS[name].type];
}
