import type { EngineActivated } from '../contracts/generated/events.ts';

/** Who activated it, why, and with what code: for people, and without an effect on what is derived. */
export type ActivationStatement = Pick<
  EngineActivated,
  'actor' | 'reason' | 'approver' | 'hasUncommittedChanges' | 'revokes'
>;

/** What an activation puts in force: the part of it that the engine's state has. */
export type ActivationTerms = Omit<EngineActivated, keyof ActivationStatement>;

/** The statement of an activation of versions 0.2.x and earlier. */
export const NOTHING_STATED: ActivationStatement = {
  actor: null,
  reason: null,
  approver: null,
  hasUncommittedChanges: null,
  revokes: [],
};

export function termsOf({
  actor: _actor,
  reason: _reason,
  approver: _approver,
  hasUncommittedChanges: _hasUncommittedChanges,
  revokes: _revokes,
  ...terms
}: EngineActivated): ActivationTerms {
  return terms;
}
