import { CHECKPOINTS, counter, gauge, increased } from './definition.ts';

/** The part of the catalogue that is about signed heads. */
export const CHECKPOINT_METRICS = {
  tapeproof_checkpoints_signed_total: counter(CHECKPOINTS, ['topic'], 'Heads of logs signed and recorded.'),
  tapeproof_checkpoint_unsigned_seconds: gauge(
    CHECKPOINTS,
    ['topic', 'partition'],
    'Seconds since a recorded head covered the whole log.',
    {
      name: 'TapeproofCheckpointsLate',
      expression: 'max by (instance, topic, partition) (tapeproof_checkpoint_unsigned_seconds) > 300',
      forS: 60,
      meaning: 'The newest events of a log are not signed: their time is not proven yet.',
      action: 'Look at /ready and the log of `checkpoints run`: a log that differs, or Kafka that does not answer.',
    },
  ),
  tapeproof_checkpoint_log_differs: gauge(
    CHECKPOINTS,
    ['topic', 'partition'],
    '1 while a log is not what was signed or not what the engine says, else 0.',
    {
      name: 'TapeproofLogDiffers',
      expression: 'max by (instance, topic, partition) (tapeproof_checkpoint_log_differs) == 1',
      forS: 0,
      severity: 'critical',
      meaning: 'Somebody but the engine wrote into a log, or records were changed or lost.',
      action:
        'Nothing is signed any more. Keep the log as it is; `npx tapeproof checkpoints verify --log-key KEY` names the first head that fails, `npx tapeproof certify` the first event that differs.',
    },
  ),
  tapeproof_checkpoint_cosignatures_total: counter(CHECKPOINTS, ['witness'], 'Cosignatures obtained.', {
    name: 'TapeproofNotCosigned',
    expression:
      'sum by (instance, witness) (increase(tapeproof_checkpoint_witness_failures_total[15m])) > 0 unless on (instance, witness) sum by (instance, witness) (increase(tapeproof_checkpoint_cosignatures_total[15m])) > 0',
    forS: 300,
    meaning:
      'A witness has cosigned nothing for a quarter of an hour: nobody else can say when the newest events existed.',
    action:
      'Look at the witness itself: `witness-silent` in the log says how the request failed. Another witness may be added meanwhile.',
  }),
  tapeproof_checkpoint_witness_failures_total: counter(
    CHECKPOINTS,
    ['witness', 'reason'],
    'Heads that a witness did not cosign: silent, or refused.',
    {
      name: 'TapeproofWitnessRefuses',
      expression: increased('tapeproof_checkpoint_witness_failures_total{reason="refused"}', '15m'),
      forS: 0,
      severity: 'critical',
      meaning: 'A witness saw another history of a log than the one that is signed here, or does not know the log.',
      action:
        'Compare the reason in the log line witness-refuses with the list of logs of the witness; do not sign with another key.',
    },
  ),
  tapeproof_checkpoint_timestamps_total: counter(CHECKPOINTS, [], 'Time stamps obtained, verified and recorded.'),
  tapeproof_checkpoint_timestamp_failures_total: counter(
    CHECKPOINTS,
    ['reason'],
    'Heads left without a time stamp that was due: silent, or refused.',
    {
      name: 'TapeproofTimestampRefused',
      expression: increased('tapeproof_checkpoint_timestamp_failures_total{reason="refused"}', '1h'),
      forS: 0,
      meaning: 'The time-stamping authority rejects requests, or its time stamps must not be believed.',
      action:
        "Read the reason in the log line timestamp-refused: the authority's certificate, its clock or ours, or `--tsa-ca`.",
    },
  ),
} as const;
