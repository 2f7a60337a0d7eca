import { canonicalJson } from '../../contracts/canonical-json.ts';
import { sha256Hex } from '../../contracts/codec.ts';
import type { ResearchTrial } from '../../contracts/generated/events.ts';
import type { SkillFigures } from '../scores/skill-moments.ts';
import { deflatedSkill, type DeflatedSkill } from './deflated-skill.ts';

const ID_DIGITS = 32;

/** What was tried on which data: everything by which one trial differs from another. */
export type TrialSubject = Pick<
  ResearchTrial,
  | 'kind'
  | 'gitCommit'
  | 'engineVersion'
  | 'configHash'
  | 'strategies'
  | 'tapeId'
  | 'ranges'
  | 'fileHashes'
  | 'selection'
>;

/** The data of a trial. */
export type TrialData = Pick<ResearchTrial, 'tapeId' | 'fileHashes'>;

/** Who tried it, and when (microseconds). */
export type TrialOrigin = Pick<ResearchTrial, 'actor' | 'triedAt' | 'gridPoint'>;

/** The event of a trial. Its identity is that of what was tried: repeated without a change, it counts once. */
export function trialOf(subject: TrialSubject, origin: TrialOrigin, figures: SkillFigures): ResearchTrial {
  const trialId = `trial-${sha256Hex(canonicalJson(subject)).slice(0, ID_DIGITS)}`;
  return { trialId, ...subject, ...origin, ...figures };
}

/** Whether two trials share data: the same tape, however much of it, or a file in common. */
export function isOverSameData(left: TrialData, right: TrialData): boolean {
  if (left.tapeId !== null && left.tapeId === right.tapeId) return true;
  return left.fileHashes.some((hash) => right.fileHashes.includes(hash));
}

/** Trials, each counted once however often it was written. */
export class TrialBook {
  private readonly byId = new Map<string, ResearchTrial>();

  /** @returns whether it is the first with its identity. */
  add(trial: ResearchTrial): boolean {
    if (this.byId.has(trial.trialId)) return false;
    this.byId.set(trial.trialId, trial);
    return true;
  }

  /** By time. */
  get all(): readonly ResearchTrial[] {
    return [...this.byId.values()].sort(
      (left, right) => left.triedAt - right.triedAt || (left.trialId < right.trialId ? -1 : 1),
    );
  }

  /**
   * The latest trial of each different configuration that was tried on the same data. The same configuration on more of
   * a tape, on one of its instruments, or by another build, is not another try.
   */
  triesOver(data: TrialData): readonly ResearchTrial[] {
    const tries = new Map<string, ResearchTrial>();
    for (const trial of this.all) if (isOverSameData(trial, data)) tries.set(configurationKeyOf(trial), trial);
    return [...tries.values()];
  }

  /**
   * A configuration's score beside the number of tries on the same data, itself included.
   *
   * @param chosen - the configuration, and what it scored.
   */
  deflated(data: TrialData, chosen: ConfigurationTried, figures: SkillFigures): DeflatedSkill {
    const key = configurationKeyOf(chosen);
    const others = this.triesOver(data).filter((trial) => configurationKeyOf(trial) !== key);
    const ratios = [figures, ...others].flatMap(({ skillRatio }) => skillRatio ?? []);
    return deflatedSkill(figures, ratios, others.length + 1);
  }
}

export type ConfigurationTried = Pick<ResearchTrial, 'configHash' | 'strategies'>;

function configurationKeyOf({ configHash, strategies }: ConfigurationTried): string {
  return canonicalJson({ configHash, strategies });
}
