import { partitionOf } from '../../contracts/partitioner.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationsIn, type LoggedActivation } from '../../proofs/activation-log.ts';
import { admissionOf } from '../../proofs/admission.ts';
import { audit, type AuditReport } from '../../proofs/audit.ts';
import { checkpointsOf, proveEvent } from '../../proofs/checkpoints/event-proof.adapter.ts';
import type { TrustedKeys } from '../../proofs/checkpoints/recorded-checkpoint.ts';
import { checkpointedOf } from '../../proofs/checkpoints/witnessed-before.ts';
import { deadLetters } from '../../proofs/dead-letters.ts';
import { parseEventId, type EventId } from '../../proofs/event-id.ts';
import { evidenceOf } from '../../proofs/evidence.ts';
import { readTrials } from '../../proofs/laboratory/trial-log.ts';
import type { TrialBook } from '../../proofs/laboratory/trials.ts';
import { activationsReport } from '../../proofs/reports/activations.ts';
import { ACTIVATIONS_MAX, type ActivationsResponse } from '../contract/pipeline.ts';
import type { Trial } from '../contract/scores.ts';
import type { ProfileResponse } from '../contract/series.ts';
import { auditAnswer } from './audit-answer.ts';
import { Bounded, Shared } from './bounded.ts';
import { deadLetterAnswer } from './dead-letter-answer.ts';
import type { ActivationPlace } from './history.adapter.ts';
import { createLogDoor, type LogDoor, type LogDoorSettings, type OpenedLog } from './log-door.adapter.ts';
import { ApiProblem } from './problems.ts';
import { profileRowsOf } from './profile-rows.ts';
import type { LogReads, Paged } from './read-models.ts';

const AUDITS_MAX = 4;
const PROFILES_MAX = 2;
const AUDIT_DEADLINE_MS = 30_000;
/** Deriving again steps the engine over a window of the tape. */
const VERIFICATION_DEADLINE_MS = 120_000;
const LIST_DEADLINE_MS = 15_000;
/** How long a list that is read whole is kept. */
const KEPT_MS = 5_000;
const DEAD_LETTERS_KEPT_MAX = 500;
/** Records of the tape behind a snapshot that are read for a profile. */
const PROFILE_RECORDS_MAX = 300_000;
const PROFILES_KEPT_MAX = 32;

export interface LogSettings extends LogDoorSettings {
  /** Held to the checkpoints in audits and proofs. */
  readonly keys: TrustedKeys;
  /** From the history: finding them on the tape would mean reading all of it. */
  readonly activationPlaces: () => Promise<readonly ActivationPlace[]>;
}

export interface RunningLogReads extends LogReads {
  close(): Promise<void>;
}

/** Reads Kafka itself, outside any group: everything that no store has, and what must not rest on one. */
export function readLog({ keys, activationPlaces, ...settings }: LogSettings): RunningLogReads {
  const door = createLogDoor(settings);
  const audits = new Bounded('audits', AUDITS_MAX);
  const profiles = new KeptProfiles(door);
  const list = <Value>(what: string, work: (open: OpenedLog) => Promise<Value>): Promise<Value> =>
    door.read({ what, deadlineMs: LIST_DEADLINE_MS, work });
  const letters = new Shared(KEPT_MS, () =>
    list('Reading the dead letters', ({ reader, registry, partitions }) =>
      deadLetters(reader, registry, { partitions, limit: DEAD_LETTERS_KEPT_MAX }),
    ),
  );
  const trials = new Shared(KEPT_MS, () =>
    list('Reading the trials', ({ reader, registry, partitions }) => readTrials(reader, registry, partitions)),
  );
  const activations = new Shared(KEPT_MS, async () => {
    const places = await activationPlaces();
    return await list('Reading the activations', (open) => activationsAt(open, places));
  });
  return {
    async audit(text, isVerified) {
      const eventId = eventIdIn(text).text;
      const report = await door.read({
        what: 'The audit',
        deadlineMs: isVerified ? VERIFICATION_DEADLINE_MS : AUDIT_DEADLINE_MS,
        work: (open) => auditOf(open, eventId, keys, isVerified),
        within: (work) => audits.run(work),
      });
      return auditAnswer(report, isVerified);
    },
    async proof(text) {
      const id = eventIdIn(text);
      return await door.read({
        what: 'The proof',
        deadlineMs: AUDIT_DEADLINE_MS,
        work: (open) => proofOf(open, id, keys),
        within: (work) => audits.run(work),
      });
    },
    profile: (instrument, snapshotId) => profiles.get(instrument, snapshotId),
    async deadLetters(before, limit) {
      const { letters: newest, total } = await letters.get();
      const { page, next } = pageAfter(newest.toReversed(), ({ deadLetterId }) => deadLetterId, before, limit);
      return { deadLetters: page.map(deadLetterAnswer), total, next };
    },
    activations: () => activations.get(),
    async trials(before, limit) {
      const { book } = await trials.get();
      const { page, next } = pageAfter(book.all.toReversed(), ({ trialId }) => trialId, before, limit);
      return { trials: page.map((trial) => trialAnswer(trial, book)), total: book.all.length, next };
    },
    close: () => door.close(),
  };
}

function auditOf(open: OpenedLog, eventId: string, keys: TrustedKeys, isVerified: boolean): Promise<AuditReport> {
  return audit(open.events, eventId, {
    listTrades: false,
    verifyWith: isVerified ? open : undefined,
    checkpointedIn: async (located, tapeId, times) => {
      const around = await checkpointsOf(open, located, tapeId, keys);
      // Older than the tree of its log: no checkpoint has it.
      if (around === undefined || located.event.sequence < around.first.firstSequence) return null;
      return checkpointedOf(located.event, around, keys, times);
    },
  });
}

async function proofOf(open: OpenedLog, id: EventId, keys: TrustedKeys): Promise<string> {
  const located = await open.events.find(id);
  if (located === undefined) throw notFound(id.text);
  const activation = await open.events.activation(located.event);
  if (activation === undefined) throw notFound(id.text);
  return (await proveEvent(open, located, activation.event.tapeId, keys)).text;
}

/** Profiles by snapshot: one never changes. */
class KeptProfiles {
  readonly #door: LogDoor;
  readonly #bounded = new Bounded('profiles', PROFILES_MAX);
  readonly #kept = new Map<string, Promise<ProfileResponse>>();

  constructor(door: LogDoor) {
    this.#door = door;
  }

  get(instrument: string, snapshotId: string): Promise<ProfileResponse> {
    const kept = this.#kept.get(snapshotId);
    if (kept !== undefined) return kept;
    const made = this.#door.read({
      what: 'The profile',
      deadlineMs: AUDIT_DEADLINE_MS,
      work: (open) => profileOf(open, instrument, snapshotId),
      within: (work) => this.#bounded.run(work),
    });
    this.#kept.set(snapshotId, made);
    made.catch(() => this.#kept.delete(snapshotId));
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > PROFILES_KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
    return made;
  }
}

/** @throws ApiProblem INVALID_REQUEST */
function eventIdIn(text: string): EventId {
  const id = parseEventId(text);
  if (id !== undefined) return id;
  throw new ApiProblem(
    'INVALID_REQUEST',
    'The address does not hold an event id: event ids look like decision-3-10411-0 (or outcome-…, result-…, snapshot-…).',
  );
}

function notFound(eventId: string): ApiProblem {
  return new ApiProblem(
    'NOT_FOUND',
    `There is no event ${eventId}: the decisions of an instrument, at /api/v1/instruments/INSTRUMENT/decisions, have their ids.`,
  );
}

/** @throws ApiProblem INVALID_REQUEST where the entry before the page is no longer in the list. */
function pageAfter<Entry>(
  entries: readonly Entry[],
  identityOf: (entry: Entry) => string,
  before: string | undefined,
  limit: number,
): { readonly page: readonly Entry[] } & Paged {
  const found = before === undefined ? -1 : entries.findIndex((entry) => identityOf(entry) === before);
  if (before !== undefined && found < 0) {
    throw new ApiProblem(
      'INVALID_REQUEST',
      'The query parameter cursor names an entry that is not in the list any more: begin with the first page.',
    );
  }
  const page = entries.slice(found + 1, found + 1 + limit);
  const last = page.at(-1);
  const hasMore = found + 1 + page.length < entries.length;
  return { page, next: hasMore && last !== undefined ? identityOf(last) : undefined };
}

async function profileOf(
  { events, partitions }: OpenedLog,
  instrument: string,
  snapshotId: string,
): Promise<ProfileResponse> {
  const located = await events.follow('IndicatorSnapshot', snapshotId);
  if (located === undefined || located.partition !== partitionOf(instrument, partitions)) throw notFound(snapshotId);
  const snapshot = located.event;
  const { sessionVolume, tradeCount, firstOffset, lastOffset, profileBinSize } = snapshot;
  const answer: ProfileResponse = {
    ...{ instrument, snapshotId, timeUs: snapshot.eventTime, sessionVolume, tradeCount, binsPerRow: 1 },
    pointOfControl: snapshot.pointOfControl.toString(),
    valueAreaLow: snapshot.valueAreaLow.toString(),
    valueAreaHigh: snapshot.valueAreaHigh.toString(),
    binSize: profileBinSize?.toString() ?? null,
    ...{ rows: null, withheld: null },
  };
  if (profileBinSize === null) {
    return { ...answer, withheld: 'the snapshot was made by an engine version before 3, which did not name its bins' };
  }
  if (lastOffset - firstOffset >= PROFILE_RECORDS_MAX) {
    const many = PROFILE_RECORDS_MAX.toLocaleString('en');
    return { ...answer, withheld: `more than ${many} records of the tape are behind the snapshot` };
  }
  const activation = await events.activation(snapshot);
  if (activation === undefined) throw notFound(snapshotId);
  const admission = admissionOf(parseConfiguration(JSON.parse(activation.event.configuration)), snapshot);
  const { trades } = await evidenceOf(events, snapshot, admission);
  const session = admission.sessionOf(snapshot.eventTime);
  const ofSession = trades.filter(({ event }) => admission.sessionOf(event.eventTime) === session);
  const { rows, binsPerRow } = profileRowsOf(ofSession, snapshot, profileBinSize);
  return { ...answer, binsPerRow, rows: [...rows] };
}

async function activationsAt(open: OpenedLog, places: readonly ActivationPlace[]): Promise<ActivationsResponse> {
  const logged = await Promise.all(
    Array.from({ length: open.partitions }, async (_, partition) => {
      const found: LoggedActivation[] = [];
      const offsets = places.filter((place) => place.partition === partition).map(({ offset }) => offset);
      for (const offset of offsets.toSorted((left, right) => left - right)) {
        for await (const activation of activationsIn(open, { partition, from: offset, to: offset + 1 })) {
          found.push(activation);
        }
      }
      return found;
    }),
  );
  const all = activationsReport(logged).toReversed();
  return {
    activations: all.slice(0, ACTIVATIONS_MAX).map((activation) => {
      const { activationId, at, engineVersion, gitCommit, configHash, tapeId, actor, reason, approver } = activation;
      const { changes, places: found, missingIn, revokedBy, fault } = activation;
      return {
        ...{ activationId, at, engineVersion, gitCommit, configHash, tapeId, actor, reason, approver },
        changes: changes?.map(({ key, from, to }) => ({ key, from, to })) ?? null,
        places: found.map(({ partition, offset, at: placedAt }) => ({ partition, offset, at: placedAt })),
        ...{ missingIn: [...missingIn], revokedBy, fault },
      };
    }),
    total: all.length,
  };
}

function trialAnswer(trial: TrialBook['all'][number], book: TrialBook): Trial {
  const { trialId, kind, triedAt, actor, gitCommit, engineVersion, configHash, strategies, gridPoint } = trial;
  const { tapeId, fileHashes, n, effectiveN, brier, referenceBrier, skill } = trial;
  return {
    ...{ trialId, isHypothetical: true, kind, triedAtUs: triedAt, actor, gitCommit, engineVersion, configHash },
    ...{ strategies, gridPoint, tapeId, fileHashes: [...fileHashes], n, effectiveN, brier, referenceBrier, skill },
    tries: book.triesOver(trial).length,
  };
}
