import type { ResearchTrial } from '../../contracts/generated/events.ts';
import type { DeflatedSkill } from './deflated-skill.ts';
import type { TrialBook } from './trials.ts';

/** A trial as its report names it, beside the number of tries on the same data. */
export interface TrialReport {
  readonly trialId: string;
  readonly skill: number | null;
  readonly skillRatio: number | null;
  /** Why it is not on record, and does not count; null when it is. */
  readonly notRecorded: string | null;
  /** Null where the tries are not known. */
  readonly deflated: DeflatedSkill | null;
}

/** @param book - all trials on record, this one's among them; undefined where they are not known. */
export function trialReportOf(
  trial: ResearchTrial,
  book: TrialBook | undefined,
  notRecorded: string | null = null,
): TrialReport {
  const { trialId, skill, skillRatio } = trial;
  return { trialId, skill, skillRatio, notRecorded, deflated: book?.deflated(trial, trial, trial) ?? null };
}

/** For people. */
export function trialLines({ trialId, skillRatio, notRecorded, deflated }: TrialReport): readonly string[] {
  return [
    notRecorded === null ? `Recorded as ${trialId}.` : `Not recorded: this trial is not counted (${notRecorded}).`,
    ...(deflated === null ? [] : [deflatedText(skillRatio, deflated)]),
  ];
}

/** A skill ratio beside what so many tries give by luck. */
export function deflatedText(skillRatio: number | null, { tries, ratioByLuck, probability }: DeflatedSkill): string {
  const counted =
    tries === 1
      ? 'No other configuration was tried on these data'
      : `${tries.toLocaleString('en')} configurations were tried on these data, this one included`;
  const luck = tries === 1 ? '' : `; the best of so many has a skill ratio of ${ratioByLuck.toFixed(4)} by luck alone`;
  const own = skillRatio === null ? 'this one has none yet' : `this one has ${skillRatio.toFixed(4)}`;
  const real = probability === null ? '' : `, and its skill is real with probability ${probability.toFixed(3)}`;
  return `${counted}${luck}; ${own}${real} (deflated Sharpe ratio: docs/laboratory.md).`;
}
