import type { DashboardDefinition } from './dashboard.ts';
import { gauge, rate, rise } from './promql.ts';

/** Whether the log is what it was, and who else says so. */
export const PROOFS: DashboardDefinition = {
  uid: 'tapeproof-proofs',
  title: 'proofs',
  description: 'Signed heads, witnesses, time stamps, and the independent recomputation of indicators.',
  rows: [
    {
      title: 'Checkpoints',
      panels: [
        {
          title: 'A log differs',
          description: 'From what was signed, or from what the engine says: No, in a healthy system.',
          unit: 'bool_yes_no',
          kind: 'state',
          badFrom: 1,
          queries: [gauge('tapeproof_checkpoint_log_differs', ['topic'])],
        },
        {
          title: 'Not signed for',
          description: 'Since a recorded head covered the whole log.',
          unit: 's',
          queries: [gauge('tapeproof_checkpoint_unsigned_seconds', ['topic'])],
        },
        {
          title: 'Heads signed',
          description: 'And recorded.',
          unit: 'short',
          queries: [rise('tapeproof_checkpoints_signed_total', ['topic'])],
        },
        {
          title: 'Cosignatures',
          description: 'By witness.',
          unit: 'short',
          queries: [rise('tapeproof_checkpoint_cosignatures_total', ['witness'])],
        },
        {
          title: 'Heads that a witness did not cosign',
          description: 'Silent: it did not answer. Refused: it saw another history, or does not know the log.',
          unit: 'short',
          queries: [rise('tapeproof_checkpoint_witness_failures_total', ['witness', 'reason'])],
        },
        {
          title: 'Time stamps',
          description: 'Obtained, verified and recorded.',
          unit: 'short',
          queries: [rise('tapeproof_checkpoint_timestamps_total', ['instance'])],
        },
        {
          title: 'Heads without a time stamp that was due',
          description: 'Silent or refused.',
          unit: 'short',
          queries: [rise('tapeproof_checkpoint_timestamp_failures_total', ['reason'])],
        },
      ],
    },
    {
      title: 'Recomputed by other code',
      panels: [
        {
          title: 'Snapshots checked',
          description: 'By result: agrees, diverges or not_checked; per second.',
          unit: 'cps',
          queries: [rate('tapeproof_oracle_checked_total', ['result'])],
        },
        {
          title: 'Snapshots that diverge',
          description: 'From the definition of an indicator over the trades on the tape: none, in a healthy system.',
          unit: 'short',
          kind: 'state',
          badFrom: 1,
          queries: [rise('tapeproof_oracle_divergences_total', ['instance'])],
        },
        {
          title: 'Events proven again',
          description: 'By recoveries of the engine: equal, byte for byte; per second.',
          unit: 'cps',
          queries: [rate('tapeproof_engine_events_compared_total', ['instance'])],
        },
      ],
    },
  ],
};
