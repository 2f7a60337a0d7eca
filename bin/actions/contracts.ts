import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { counted } from '../../platform/counted.ts';
import { readLogEvidence, SAMPLE_RECORDS, type LogEvidence } from '../../platform/kafka/log-evidence.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry, type SubjectDrift } from '../../platform/kafka/registry.ts';
import { existingTopics } from '../../platform/kafka/topics.ts';
import { contradictionsOf, type Contradiction } from '../../platform/kafka/trusted-registry.ts';
import type { JsonOption } from '../commands/options.ts';
import { answeringKafka, connections, print } from '../context.ts';

export async function registerSchemas({ json }: JsonOption): Promise<void> {
  const report = await createRegistry(connections().registryUrl).register();
  print(json, report, () => report.map(({ subject, id }) => `${subject.padEnd(48)} id ${id}`).join('\n'));
}

export async function checkSchemas({ json }: JsonOption): Promise<void> {
  const registry = createRegistry(connections().registryUrl);
  const drift = await registry.check();
  const evidence = await evidenceOfLog();
  const contradictions = evidence === undefined ? [] : await contradictionsOf(registry, evidence);
  const lookedAt = lookedAtOf(evidence);
  print(json, { drift, contradictions, lookedAt }, () => describe(drift, contradictions, lookedAt));
  if (drift.length + contradictions.length > 0) process.exitCode = 1;
}

/** Undefined where the tape does not exist yet. */
async function evidenceOfLog(): Promise<LogEvidence | undefined> {
  const existing = await existingTopics(await answeringKafka('contracts'));
  if (!existing.has(TAPE_TOPIC)) return undefined;
  const reader = createLogReader(connections().kafkaBrokers);
  try {
    return await readLogEvidence(reader, Math.max(...existing.values()), [...existing.keys()]);
  } finally {
    await reader.close();
  }
}

interface LookedAt {
  /** Records of the log. */
  readonly records: number;
  /** Ids in the tape's label. */
  readonly labelled: readonly number[];
  /** Ids of those records, with the number of records for each. */
  readonly used: readonly { readonly topic: string; readonly id: number; readonly records: number }[];
}

function lookedAtOf(evidence: LogEvidence | undefined): LookedAt {
  return {
    records: evidence?.records ?? 0,
    labelled: [...(evidence?.label?.schemas.keys() ?? [])].sort((left, right) => left - right),
    used: (evidence?.used ?? []).map(({ topic, id, records }) => ({ topic, id, records })),
  };
}

function describe(
  drift: readonly SubjectDrift[],
  contradictions: readonly Contradiction[],
  { records, labelled, used }: LookedAt,
): string {
  const problems = [
    ...drift.map(({ subject, problem }) => `${subject}: ${problem}`),
    ...contradictions.map(({ id, place, problem }) => `id ${id} (${place}): ${problem}`),
  ];
  const remedy =
    contradictions.length === 0
      ? []
      : ['Restore the registry with its old ids from a backup: until then nothing is read or appended.'];
  const label = labelled.length === 0 ? 'no label on the tape' : `the tape's label with ids ${labelled.join(', ')}`;
  const usedIds = [...new Set(used.map(({ id }) => id))].sort((left, right) => left - right);
  const ids = usedIds.length === 0 ? '' : `, which have ids ${usedIds.join(', ')}`;
  return [
    ...(problems.length === 0 ? ['All schemas are registered, with the same ids as in the log.'] : problems),
    ...remedy,
    `Checked ${label} and ${counted(records, 'record')}: up to ${SAMPLE_RECORDS} from each end of each partition${ids}.`,
  ].join('\n');
}
