import type { EngineActivated } from '../contracts/generated/events.ts';
import { sha256Hex } from '../contracts/codec.ts';
import type { ActivationTerms } from './activation-terms.ts';

/** The activation that revokes an earlier one in its partition. */
export interface Revocation {
  readonly activationId: string;
  readonly offset: number;
}

/**
 * Whether an activation revokes an earlier one of the same partition. It must itself be one that an engine would accept:
 * of the same tape, with the hash of its configuration.
 *
 * @param tapeId - the partition's; undefined before its first activation.
 */
export function isRevokedBy(
  { activationId }: Pick<ActivationTerms, 'activationId'>,
  later: EngineActivated,
  tapeId: string | undefined,
): boolean {
  return (
    later.revokes.includes(activationId) &&
    later.activationId !== activationId &&
    later.tapeId === (tapeId ?? later.tapeId) &&
    sha256Hex(later.configuration) === later.configHash
  );
}
