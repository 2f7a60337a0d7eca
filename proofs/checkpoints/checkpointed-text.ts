import { shown } from '../../contracts/statement-text.ts';
import type { Checkpointed } from './witnessed-before.ts';

/** Who signed an event and when, in lines for people. @param checkpointed - null while no checkpoint has it. */
export function checkpointedLines(checkpointed: Checkpointed | null): string[] {
  if (checkpointed === null) {
    return ['  signed      in no checkpoint: "npx tapeproof checkpoints now" signs what is new'];
  }
  const { eventId, origin, index, signed, cosigned } = checkpointed;
  const held = signed.isVerified ? 'by the given key' : 'signature not verified: give --log-key';
  const lines = [
    `  signed      ${signed.at}, by the clock of the process that signs: ${eventId} is leaf ${index} of ${signed.size} in ${shown(origin)} (${held})`,
  ];
  if (cosigned === null) return [...lines, '  cosigned    by no witness'];
  const by = cosigned.by.map(({ witness, at }) => `${shown(witness)} ${at}`).join(', ');
  const verified = cosigned.isVerified ? 'verified' : 'not verified: give --witness-key';
  return [...lines, `  cosigned    by ${by}, by the witness's clock (${verified})${beforeText(checkpointed)}`];
}

function beforeText({ beforeOutcome }: Checkpointed): string {
  if (beforeOutcome === null) return '';
  const { beforeSent, outcomeSentAt, beforeDue, dueAt } = beforeOutcome;
  const sent =
    beforeSent === null || outcomeSentAt === null
      ? 'no outcome was sent yet'
      : `${beforeSent ? 'BEFORE' : 'NOT before'} the engine sent the outcome (${outcomeSentAt}, its clock)`;
  const due =
    beforeDue === null
      ? `the tape was read after the due time (${dueAt}, market time), which therefore shows nothing`
      : `${beforeDue ? 'BEFORE' : 'NOT before'} the due time (${dueAt}, market time)`;
  return `: ${sent}; ${due}`;
}
