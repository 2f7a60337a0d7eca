import { partitionOf } from '../../contracts/partitioner.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { namedInstrument } from '../../platform/named-instrument.ts';
import { activationsIn, type LoggedActivation } from '../../proofs/activation-log.ts';
import { checkpointReferences } from '../../proofs/checkpoints/references.adapter.ts';
import { adviceFor, knownInstruments } from '../../proofs/known-instruments.ts';
import { activationsCsv, activationsText } from '../../proofs/reports/activations-text.ts';
import { activationsReport } from '../../proofs/reports/activations.ts';
import { recommendationsCsv, recommendationsText } from '../../proofs/reports/recommendations-text.ts';
import { recommendationsReport } from '../../proofs/reports/recommendations.ts';
import { print } from '../context.ts';
import { overTape } from '../over-tape.ts';
import { withEvents, type Events } from '../with-events.ts';

interface FormOptions {
  readonly csv?: true;
  readonly json?: true;
}

export type ActivationsOptions = FormOptions;

export interface RecommendationsOptions extends FormOptions {
  readonly instrument: string;
  /** Microseconds. */
  readonly from: number;
  readonly to: number;
}

export async function printActivations(options: ActivationsOptions): Promise<void> {
  assertOneForm(options);
  await withEvents('report', async (events) => {
    const activations = activationsReport(await readActivations(events));
    printForm(
      options,
      { activations },
      {
        csv: () => activationsCsv(activations),
        text: () => activationsText(activations),
      },
    );
  });
}

export async function printRecommendations({ from, to, ...options }: RecommendationsOptions): Promise<void> {
  assertOneForm(options);
  const instrument = namedInstrument(options.instrument);
  if (from >= to) throw new TapeproofError('USAGE', '--to must be later than --from.');
  await withEvents('report', async ({ log, reader, registry, partitions }) => {
    const partition = partitionOf(instrument, partitions);
    const access = { reader, registry, decode: createTapeDecoder(registry) };
    const report = await recommendationsReport(
      log,
      { instrument, partition, fromUs: from, toUs: to },
      (decisions, tapeId) => checkpointReferences(access, decisions, tapeId),
    );
    if (report.recommendations.length === 0) {
      const known = await knownInstruments(log, partitions);
      if (!known.includes(instrument)) {
        throw new TapeproofError(
          'NOT_FOUND',
          `There is no decision for ${instrument} in that time: ${adviceFor(instrument, known)}`,
        );
      }
    }
    printForm(options, report, {
      csv: () => recommendationsCsv(report),
      text: () => recommendationsText(report),
    });
  });
}

/** Reads every activation of the tape: the whole tape is read, though nothing else is decoded. */
async function readActivations({ reader, registry, partitions }: Events): Promise<LoggedActivation[][]> {
  const found = Array.from({ length: partitions }, (): LoggedActivation[] => []);
  await overTape(reader, partitions, async (part, onRead) => {
    for await (const activation of activationsIn({ reader, registry }, part, onRead)) {
      found[part.partition]?.push(activation);
    }
  });
  return found;
}

function assertOneForm({ json, csv }: FormOptions): void {
  if (json === true && csv === true) throw new TapeproofError('USAGE', 'Give --json or --csv, not both.');
}

function printForm(
  { json, csv }: FormOptions,
  data: unknown,
  forms: { readonly csv: () => string; readonly text: () => string },
): void {
  if (csv === true) process.stdout.write(forms.csv());
  else print(json, data, forms.text);
}
