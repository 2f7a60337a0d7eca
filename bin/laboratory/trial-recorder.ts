import type { ResearchTrial } from '../../contracts/generated/events.ts';
import { ENGINE_VERSION } from '../../evaluators/configuration.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLog } from '../../platform/log.ts';
import { readTrials, writeTrials } from '../../proofs/laboratory/trial-log.ts';
import { trialReportOf, type TrialReport } from '../../proofs/laboratory/trial-report.ts';
import { trialOf, type TrialSubject } from '../../proofs/laboratory/trials.ts';
import type { ConfigurationSkill, Scoreboard } from '../../proofs/scoreboard/scoreboard.ts';
import type { SkillFigures } from '../../proofs/scores/skill-moments.ts';
import { connections } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { operatorName } from '../operator-name.ts';
import { withEvents, type Events } from '../with-events.ts';

/** What a command tried, without who, when and by which build. */
export interface Tried extends Omit<TrialSubject, 'gitCommit' | 'engineVersion'> {
  readonly gridPoint?: Readonly<Record<string, string>>;
  readonly figures: SkillFigures;
}

/** The trials as events, tried now by whoever runs this process. */
export async function trialsOf(tried: readonly Tried[]): Promise<readonly ResearchTrial[]> {
  const [commit, actor] = await Promise.all([gitCommit(), operatorName()]);
  const triedAt = Date.now() * 1_000;
  return tried.map(({ gridPoint = {}, figures, ...subject }) =>
    trialOf({ ...subject, gitCommit: commit, engineVersion: ENGINE_VERSION }, { actor, triedAt, gridPoint }, figures),
  );
}

/**
 * Records what was tried, before any of its scores is shown, and counts the tries on the same data.
 *
 * @throws TapeproofError UNREACHABLE; CONFIGURATION when Kafka refuses the trials.
 */
export async function recordTrials(
  { reader, registry, partitions }: Events,
  tried: readonly Tried[],
): Promise<readonly TrialReport[]> {
  const trials = await trialsOf(tried);
  const kafka = createKafka(connections().kafkaBrokers, 'tapeproof-research', createLog('research', 'error'));
  await writeTrials(kafka, registry, partitions, trials);
  const { book } = await readTrials(reader, registry, partitions);
  return trials.map((trial) => trialReportOf(trial, book));
}

/**
 * Like {@link recordTrials} for trials over files, which need no services: where Kafka does not answer, each says that it
 * is not recorded.
 *
 * @param isWanted - false when the operator asked for no record.
 */
export async function recordFileTrials(tried: readonly Tried[], isWanted: boolean): Promise<readonly TrialReport[]> {
  const unrecorded = async (why: string) =>
    (await trialsOf(tried)).map((trial) => trialReportOf(trial, undefined, why));
  if (!isWanted) return await unrecorded('--no-record was given');
  let reports: readonly TrialReport[] = [];
  try {
    await withEvents('backtest', async (events) => {
      reports = await recordTrials(events, tried);
    });
  } catch (error) {
    if (!(error instanceof TapeproofError) || error.code !== 'UNREACHABLE') throw error;
    return await unrecorded(error.message.replace(/\.$/, ''));
  }
  return reports;
}

const NO_SKILL: SkillFigures = {
  ...{ n: 0, effectiveN: 0, brier: null, referenceBrier: null, skill: null },
  ...{ skillRatio: null, skewness: null, kurtosis: null },
};

/** The skill of the one configuration that a run had. */
export function onlySkill({ skills }: Pick<Scoreboard, 'skills'>): SkillFigures {
  const [only] = skills;
  return only === undefined ? NO_SKILL : figuresOf(only);
}

function figuresOf({ configHash: _named, ...figures }: ConfigurationSkill): SkillFigures {
  return figures;
}
