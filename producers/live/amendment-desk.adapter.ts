import { setTimeout as sleep } from 'node:timers/promises';
import { isPassing, TapeproofError } from '../../platform/errors.ts';
import type { RefusedTrade, VenueAmendment } from '../venue.ts';
import type { InstrumentStream } from './instrument-stream.ts';
import { liveRecordOfAmendment, type LiveRecord } from './live-records.ts';
import { PendingAmendments, type DueAmendment } from './pending-amendments.ts';
import { RecordQueue, type RecordSource } from './record-queue.ts';
import type { TapeLookup } from './tape-lookup.adapter.ts';
import type { LiveTelemetry } from './telemetry.ts';
import type { LiveTiming } from './timing.ts';
import { firstIdOf, newIdIn, settlementOf, type RecordsOfIds, type Settlement } from './venue-amendments.ts';
import { Wake } from './wake.adapter.ts';

/** How often deadlines are checked. */
const IDLE_MS = 250;
const NOTHING_HELD: RecordsOfIds = { trades: [], amendments: [] };

export interface AmendmentDeskOptions {
  /** By instrument. */
  readonly streams: ReadonlyMap<string, Pick<InstrumentStream, 'waiting' | 'renamed' | 'options'>>;
  /** Number of partitions of the tape. */
  readonly partitions: number;
  readonly timing: Pick<LiveTiming, 'amendmentWaitMs' | 'appendPauseMs'>;
  readonly telemetry: LiveTelemetry;
  readonly signal: AbortSignal;
  readonly lookUp: (
    lookup: Pick<TapeLookup, 'partition' | 'sought' | 'besides'>,
  ) => Promise<ReadonlyMap<string, RecordsOfIds>>;
  /** Keeps amendments that could not be applied. */
  readonly onRefused: (refused: RefusedTrade, nowMs: number) => void;
  /** Called when a record waits to be sent. */
  readonly onReady: () => void;
}

/**
 * A venue's cancels and corrections on their way to the tape. Each is written only once its trade is found there, so
 * that it follows its trade, names the trade's own figures, and holds across restarts; one that finds no trade in time
 * becomes a dead letter.
 */
export class AmendmentDesk implements RecordSource {
  private readonly options: AmendmentDeskOptions;
  private readonly records = new RecordQueue();
  private readonly pending: PendingAmendments;
  private readonly wake = new Wake();

  constructor(options: AmendmentDeskOptions) {
    this.options = options;
    this.pending = new PendingAmendments(options.timing.amendmentWaitMs);
    // Before the writer sends the rest: what waits here is then among it, as dead letters.
    options.signal.addEventListener('abort', () => {
      for (const amendment of this.pending.takeAll()) {
        this.refuse(amendment, 'the process ended before its trade was found on the tape');
      }
      this.wake.poke();
    });
  }

  /** @param nowMs of a clock that never goes back */
  add(amendment: VenueAmendment, nowMs: number): void {
    if (this.options.signal.aborted) this.refuse(amendment, 'the process was ending');
    else if (this.pending.add(amendment, nowMs)) this.wake.poke();
    else this.refuse(amendment, 'too many amendments wait for their trades');
  }

  /** Runs until the signal. @throws TapeproofError for anything but an outage */
  async run(): Promise<void> {
    const { signal, streams } = this.options;
    while (!signal.aborted) {
      await this.wake.wait(IDLE_MS);
      const due = this.pending.take(performance.now(), (instrument) => (streams.get(instrument)?.waiting ?? 0) > 0);
      if (due.length > 0) await this.settleAll(due);
    }
  }

  /** Whether every amendment is settled. */
  get isIdle(): boolean {
    return this.pending.size === 0;
  }

  get first(): LiveRecord | undefined {
    return this.records.first;
  }

  sent(): void {
    this.records.sent();
  }

  acknowledged(records: readonly LiveRecord[]): void {
    this.records.acknowledged(records);
    if (this.pending.size === 0) return;
    for (const { event } of records) {
      if (event.kind === 'trade') this.pending.arrived(event.trade.instrument, event.trade.tradeId);
      if (event.kind !== 'amendment') continue;
      const newId = newIdIn(event.planned);
      if (newId !== undefined) this.pending.arrived(event.planned.amendment.instrument, newId);
    }
    this.wake.poke();
  }

  putBack(): void {
    this.records.putBack();
  }

  private async settleAll(due: readonly DueAmendment[]): Promise<void> {
    const { streams, signal, timing } = this.options;
    const byPartition = Map.groupBy(due, ({ amendment }) => streams.get(amendment.instrument)?.options.partition ?? 0);
    try {
      for (const [partition, here] of byPartition) await this.settleIn(partition, here);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TapeproofError) || !isPassing(error.code)) throw error;
      this.pending.putBack(due);
      await sleep(timing.appendPauseMs, undefined, { signal }).catch(() => undefined);
    }
    // More may be due.
    this.wake.poke();
  }

  private async settleIn(partition: number, due: readonly DueAmendment[]): Promise<void> {
    const held = await this.recordsOf(partition, due);
    if (this.options.signal.aborted) return;
    for (const { amendment, isLast } of due) {
      const settlement = settlementOf(amendment, held.get(amendment.instrument) ?? NOTHING_HELD);
      // It may have come before its trade.
      if (settlement.kind === 'unmatched' && !isLast) continue;
      this.pending.settled(amendment);
      this.settle(amendment, settlement);
    }
  }

  /** The tape's records of their trades, which may be there under the ids that they had before corrections. */
  private async recordsOf(partition: number, due: readonly DueAmendment[]): Promise<ReadonlyMap<string, RecordsOfIds>> {
    const { lookUp } = this.options;
    const newIds = due.flatMap(({ amendment }) => amendment.corrected?.tradeId ?? []);
    const sought = idsOf(due, ({ tradeId }) => tradeId);
    const held = await lookUp({ partition, sought, besides: new Set(newIds) });
    const first = idsOf(due, ({ instrument, tradeId }) => firstIdOf(tradeId, held.get(instrument) ?? NOTHING_HELD));
    const isSame = [...first].every(([instrument, ids]) => [...ids].every((id) => sought.get(instrument)?.has(id)));
    if (isSame) return held;
    const named = [...sought.values()].flatMap((ids) => [...ids]);
    return lookUp({ partition, sought: first, besides: new Set([...newIds, ...named]) });
  }

  private settle(amendment: VenueAmendment, settlement: Settlement): void {
    const { telemetry, streams, partitions, onReady } = this.options;
    const { instrument, tradeId, origin } = amendment;
    if (settlement.kind === 'append') {
      this.records.add(liveRecordOfAmendment(settlement.planned, partitions));
      const newId = newIdIn(settlement.planned);
      if (newId !== undefined) streams.get(instrument)?.renamed(newId);
      onReady();
    } else if (settlement.kind === 'already') {
      telemetry({ kind: 'amendment', instrument, tradeId, outcome: 'already', detail: 'the tape has it' });
    } else if (origin === 'STREAM') this.refuse(amendment, settlement.why);
    // A mark on a trade before the tape's beginning concerns nothing here.
  }

  private refuse(amendment: VenueAmendment, why: string): void {
    const { telemetry, onRefused } = this.options;
    const { amends, instrument, tradeId, text } = amendment;
    telemetry({ kind: 'amendment', instrument, tradeId, outcome: 'unmatched', detail: why });
    const deed = amends === 'CANCEL' ? 'takes back' : 'corrects';
    const command = amends === 'CANCEL' ? 'cancel' : 'correct';
    const detail = `the venue ${deed} its trade ${tradeId}, but ${why}: "tape ${command}" does so on the tape`;
    onRefused({ refusal: { reason: 'MALFORMED', detail }, instrument, tradeId: undefined, text }, performance.now());
  }
}

function idsOf(due: readonly DueAmendment[], idOf: (amendment: VenueAmendment) => string): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>();
  for (const { amendment } of due) {
    const { instrument } = amendment;
    ids.set(instrument, (ids.get(instrument) ?? new Set()).add(idOf(amendment)));
  }
  return ids;
}
