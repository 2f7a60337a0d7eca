/** A record with its place and the hash by which it is compared. */
export interface Located<Event> {
  readonly topic: string;
  readonly partition: number;
  /** Offset in that topic and partition. */
  readonly offset: number;
  /** SHA-256 (hex) of writer fingerprint ‖ Avro body. */
  readonly hash: string;
  readonly event: Event;
  /** The sender's clock when it sent the record, ISO 8601; records of the tape have none. */
  readonly emittedAt?: string;
}
