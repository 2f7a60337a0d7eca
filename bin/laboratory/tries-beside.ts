import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { DeflatedSkill } from '../../proofs/laboratory/deflated-skill.ts';
import { firstTapeId } from '../../proofs/laboratory/tape-steps.ts';
import { readTrials } from '../../proofs/laboratory/trial-log.ts';
import { deflatedText } from '../../proofs/laboratory/trial-report.ts';
import type { Scoreboard } from '../../proofs/scoreboard/scoreboard.ts';

const HASH_DIGITS = 12;

/** The configurations of a board beside those tried on the same tape. */
export interface TriesBeside {
  /** Why the trials are not known; null where they are. */
  readonly unknown: string | null;
  readonly configurations: readonly {
    readonly configHash: string;
    readonly skillRatio: number | null;
    readonly deflated: DeflatedSkill;
  }[];
}

/** The number of tries beside each score; a board without them is better than none. */
export async function triesBeside(board: Scoreboard, access: LogAccess, partitions: number): Promise<TriesBeside> {
  try {
    const { book } = await readTrials(access.reader, access.registry, partitions);
    if (book.all.length === 0) return { unknown: null, configurations: [] };
    const data = { tapeId: (await firstTapeId(access, partitions)) ?? null, fileHashes: [] };
    const configurations = board.skills.map(({ configHash, ...figures }) => ({
      configHash,
      skillRatio: figures.skillRatio,
      deflated: book.deflated(data, { configHash, strategies: {} }, figures),
    }));
    return { unknown: null, configurations };
  } catch (error) {
    if (!(error instanceof TapeproofError) || error.code !== 'UNREACHABLE') throw error;
    return { unknown: error.message, configurations: [] };
  }
}

/** For people; empty where nothing else was tried. */
export function triesLines({ unknown, configurations }: TriesBeside): readonly string[] {
  if (unknown !== null) return [`The number of configurations tried is not known: ${unknown}`];
  return configurations
    .filter(({ deflated }) => deflated.tries > 1)
    .map(
      ({ configHash, skillRatio, deflated }) =>
        `Configuration ${configHash.slice(0, HASH_DIGITS)}: ${deflatedText(skillRatio, deflated)}`,
    );
}
