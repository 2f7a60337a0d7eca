import type { DashboardDefinition } from './dashboard.ts';
import { gauge, quantiles, rate, rise } from './promql.ts';

/** The projectors, and the page and API that read what they keep. */
export const READ_MODELS: DashboardDefinition = {
  uid: 'tapeproof-read-models',
  title: 'read models and page',
  description: 'Whether the projectors keep Redis and Postgres up to date, and how the page and API answer.',
  rows: [
    {
      title: 'Projectors',
      panels: [
        {
          title: 'Stores accept writes',
          description: 'Yes while the store of a projector accepts deliveries.',
          unit: 'bool_yes_no',
          kind: 'state',
          queries: [gauge('tapeproof_projector_sink_up', ['projector'], 'min')],
        },
        {
          title: 'Redis may evict keys',
          description: 'A read model must never lose keys: No, in a healthy system.',
          unit: 'bool_yes_no',
          kind: 'state',
          badFrom: 1,
          queries: [gauge('tapeproof_projector_sink_evicts', ['projector'])],
        },
        {
          title: 'Conflicts',
          description: 'Records that claim the identity of a record with other bytes.',
          unit: 'short',
          kind: 'state',
          badFrom: 1,
          queries: [rise('tapeproof_projector_conflicts_total', ['projector'])],
        },
        {
          title: 'Windows that differ',
          description: 'Anchors of the engine whose root the stored events do not have: 0 in a healthy system.',
          unit: 'short',
          kind: 'state',
          badFrom: 1,
          queries: [gauge('tapeproof_projector_roots_differing', ['projector'])],
        },
        {
          title: 'Compared with the engine',
          description: "Roots in the engine's anchors: agrees, differs, or awaits events.",
          unit: 'short',
          queries: [rise('tapeproof_projector_roots_total', ['projector', 'result'])],
        },
        {
          title: 'Records read',
          description: 'By topic, per second.',
          unit: 'cps',
          queries: [rate('tapeproof_projector_records_read_total', ['projector', 'topic'])],
        },
        {
          title: 'Fate of the records',
          description: 'Applied, duplicate, conflict, dead or ignored, per second: their sum is what was read.',
          unit: 'cps',
          queries: [rate('tapeproof_projector_records_total', ['projector', 'fate'])],
        },
        {
          title: 'One write',
          description: 'A batch and its position, to the store.',
          unit: 's',
          queries: quantiles('tapeproof_projector_write_seconds', ['projector']),
        },
      ],
    },
    {
      title: 'Page and API',
      panels: [
        {
          title: 'Requests',
          description: 'Answered, by HTTP status, per second.',
          unit: 'reqps',
          queries: [rate('tapeproof_dashboard_requests_total', ['route', 'status'])],
        },
        {
          title: 'One request',
          description: 'A stream of events counts until its head is sent.',
          unit: 's',
          queries: quantiles('tapeproof_dashboard_request_seconds', ['route']),
        },
        {
          title: 'Refused or failed',
          description: 'By the kind of problem.',
          unit: 'short',
          queries: [rise('tapeproof_dashboard_refusals_total', ['problem'])],
        },
        {
          title: 'Viewers',
          description: 'Open streams of events.',
          unit: 'short',
          queries: [gauge('tapeproof_dashboard_viewers', ['instance'], 'sum')],
        },
        {
          title: 'Viewers cut off',
          description: 'Streams ended because their client took events too slowly.',
          unit: 'short',
          queries: [rise('tapeproof_dashboard_viewers_cut_total', ['instance'])],
        },
        {
          title: 'Events for viewers',
          description: 'Each is made once, however many clients it is sent to; per second.',
          unit: 'cps',
          queries: [rate('tapeproof_dashboard_events_total', ['event'])],
        },
        {
          title: 'Looks at Redis',
          description: 'Shared by all streams, per second.',
          unit: 'cps',
          queries: [rate('tapeproof_dashboard_upstream_reads_total', ['result'])],
        },
      ],
    },
  ],
};
