import type { TopicName } from '../contracts/topics.ts';

/** The fate of a record that this engine did not append to one of its outputs, for people. */
export const FOREIGN_FATES = {
  repeated: 'it repeats an event with the same bytes, as another engine does: harmless',
  differing: 'it claims the sequence of an earlier event with other bytes: readers keep the first',
  ahead: 'its sequence is not reached yet: it is compared when it is',
  conflict: 'it stands where another event belongs',
  unverified: 'the event with its sequence is too old to be compared here',
  unread: 'it is not read: recovery judges it',
} as const;
export type ForeignFate = keyof typeof FOREIGN_FATES;

/** A record in an output that this engine did not append. */
export interface ForeignEvent {
  readonly topic: TopicName;
  readonly partition: number;
  /** In the log. */
  readonly offset: number;
  readonly fate: ForeignFate;
}
