import type { DashboardDefinition } from './dashboard.ts';
import { gauge, quantiles, rate, rise } from './promql.ts';

/** From trades to decisions and outcomes. */
export const ENGINE_DASHBOARD: DashboardDefinition = {
  uid: 'tapeproof-engine',
  title: 'engine',
  description: 'What the engine derives, how fast, and what recoveries found.',
  rows: [
    {
      title: 'Speed',
      panels: [
        {
          title: 'Trades read',
          description: 'Records of the tape stepped, per second.',
          unit: 'cps',
          queries: [rate('tapeproof_consumer_records_total', ['instance', 'topic'], 'topic="raw.trades"')],
        },
        {
          title: 'Events sent',
          description: 'Snapshots, results, decisions and outcomes that Kafka acknowledged, per second.',
          unit: 'cps',
          queries: [
            rate(
              'tapeproof_producer_records_total',
              ['topic'],
              'topic=~"indicator.*|strategy.*|probability.*|decision.*"',
            ),
          ],
        },
        {
          title: 'One step',
          description: 'From a decoded record to its encoded events.',
          unit: 's',
          queries: quantiles('tapeproof_engine_step_seconds', ['instance']),
        },
      ],
    },
    {
      title: 'What comes true',
      panels: [
        {
          title: 'Outcomes',
          description: 'Forecasts resolved, per second; DECISION is the pooled one.',
          unit: 'cps',
          queries: [rate('tapeproof_engine_outcomes_total', ['strategy', 'verdict'])],
        },
        {
          title: 'Hit ratio',
          description: 'Of each process since its start. Overlapping forecasts: read the scoreboard for intervals.',
          unit: 'percentunit',
          queries: [gauge('tapeproof_engine_hit_ratio', ['strategy', 'instance'])],
        },
        {
          title: 'Outcomes behind the hit ratio',
          description: 'Below some hundreds the ratio says nothing.',
          unit: 'short',
          queries: [gauge('tapeproof_engine_hit_ratio_outcomes', ['strategy', 'instance'])],
        },
        {
          title: 'Trades that do not count',
          description: 'By kind: late, far ahead, repeated, outside trading hours, refused, taken back.',
          unit: 'cps',
          queries: [rate('tapeproof_engine_set_aside_total', ['instrument', 'kind'])],
        },
        {
          title: 'Signals without an effect',
          description: 'Of context: repeated, expired, or crowded out by others that are valid for longer.',
          unit: 'cps',
          queries: [rate('tapeproof_engine_signals_set_aside_total', ['kind', 'fate'])],
        },
      ],
    },
    {
      title: 'Recovery, and who else wrote',
      panels: [
        {
          title: 'Records since the newest anchor',
          description: 'A recovery steps them again: it goes back to 0 at every anchor.',
          unit: 'short',
          queries: [gauge('tapeproof_engine_anchor_age_records', ['partition'])],
        },
        {
          title: 'Time since the newest anchor',
          description: 'By the clock of the process.',
          unit: 's',
          queries: [gauge('tapeproof_engine_anchor_age_seconds', ['partition'])],
        },
        {
          title: 'Anchors written',
          description: 'By partition.',
          unit: 'short',
          queries: [rise('tapeproof_engine_anchors_total', ['partition'])],
        },
        {
          title: 'Recoveries',
          description: 'Of state, at a start or after a rebalance.',
          unit: 'short',
          queries: [rise('tapeproof_engine_recoveries_total', ['partition'])],
        },
        {
          title: 'Events proven again',
          description: 'Derived again by a recovery and found equal, byte for byte, per second.',
          unit: 'cps',
          queries: [rate('tapeproof_engine_events_compared_total', ['instance'])],
        },
        {
          title: 'Anchors rejected',
          description: 'Not what the engine derives from the tape: none, in a healthy system.',
          unit: 'short',
          queries: [rise('tapeproof_engine_anchors_rejected_total', ['partition', 'reason'])],
        },
        {
          title: 'Events of other writers',
          description: 'In the outputs of this engine; repeated ones are harmless.',
          unit: 'short',
          queries: [rise('tapeproof_engine_foreign_events_total', ['topic', 'fate'])],
        },
        {
          title: 'Waiting for another version',
          description: 'Partitions where another engine version is in force: nothing is derived there.',
          unit: 'short',
          queries: [gauge('tapeproof_engine_hand_over_awaited', ['partition'])],
        },
      ],
    },
  ],
};
