import { counter, DASHBOARD, gauge, histogram, MILLISECONDS } from './definition.ts';

/** The dashboard's part of the catalogue. */
export const DASHBOARD_METRICS = {
  tapeproof_dashboard_requests_total: counter(
    DASHBOARD,
    ['route', 'status'],
    'Requests answered, by the pattern of the route and the HTTP status.',
    {
      name: 'TapeproofPageFails',
      expression:
        'sum by (instance) (rate(tapeproof_dashboard_requests_total{status=~"5.."}[5m])) / sum by (instance) (rate(tapeproof_dashboard_requests_total[5m])) > 0.05',
      forS: 300,
      meaning: 'More than one request in twenty of the API or the page fails.',
      action:
        'Look at /ready of the dashboard: Redis, Postgres or Kafka does not answer it, and the failing routes need that one.',
    },
  ),
  tapeproof_dashboard_request_seconds: histogram(
    DASHBOARD,
    ['route'],
    MILLISECONDS,
    'How long answering a request took; a stream of events counts until its head is sent.',
  ),
  tapeproof_dashboard_refusals_total: counter(
    DASHBOARD,
    ['problem'],
    'Requests that were refused or failed, by the kind of problem.',
  ),
  tapeproof_dashboard_viewers: gauge(DASHBOARD, [], 'Open streams of events.'),
  tapeproof_dashboard_viewers_cut_total: counter(
    DASHBOARD,
    [],
    'Streams that were ended because their client took events too slowly.',
  ),
  tapeproof_dashboard_events_total: counter(
    DASHBOARD,
    ['event'],
    'Events made for the streams, each once however many clients it is sent to.',
  ),
  tapeproof_dashboard_upstream_reads_total: counter(
    DASHBOARD,
    ['result'],
    'Looks at Redis for changes, shared by all streams; result is changed, unchanged or failed.',
  ),
} as const;
