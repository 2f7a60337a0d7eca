import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, hashWritten, readerFor } from '../contracts/codec.ts';
import { FIRST_TRADE_FINGERPRINT, FIRST_TRADE_SCHEMA } from '../contracts/former-schemas.ts';
import type { EngineActivated, IndicatorSnapshot, Outcome, Trade } from '../contracts/generated/events.ts';
import { StatePage } from '../contracts/state-page.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { parseTaskState, recordHashOf } from './anchor.ts';
import { ENGINE_VERSION, parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { onlyStrategies } from './fixtures/only-strategies.ts';
import { syntheticTrades, type SyntheticMarket } from './fixtures/synthetic-market.ts';
import { activated, eventsOf, ofType, run, watermarked, watermarkOf, traded } from './fixtures/tape-contents.ts';
import { createPartitionTask, restorePartitionTask, type PartitionTask } from './partition-task.ts';
import { contentOf } from './state-pages.ts';

/** The state that an earlier engine version left at the activation of another one; made by its own code. */
interface Handover {
  readonly market: SyntheticMarket;
  /** Trades before that activation, and before the one watermark among them; none if there was no watermark. */
  readonly cut: number;
  readonly watermarked?: number;
  readonly manifest: string;
  readonly state: string;
  /** In base64; version 1 and 2 had none. */
  readonly pages?: readonly string[];
}

/** The schema with which engine versions up to 4 wrote anchors. */
const RELEASED_ANCHOR = (
  JSON.parse(readFileSync(new URL('../contracts/fixtures/released-schemas.json', import.meta.url), 'utf8')) as {
    readonly EngineAnchor: string;
  }
).EngineAnchor;

const firstTrade = avro.Type.forSchema(JSON.parse(FIRST_TRADE_SCHEMA) as avro.Schema, {
  logicalTypes: {},
});

function pageOf(bytes: Buffer): [string, StatePage] {
  const page = StatePage.of(bytes);
  return [page.hash, page];
}

/** A trade of the tape as versions 1 and 2 wrote it. */
function tradedThen(trade: Trade): TapeContent {
  const body = firstTrade.toBuffer({ ...trade, price: trade.price.toBytes(), size: trade.size.toBytes() });
  return { kind: 'trade', trade, fingerprint: FIRST_TRADE_FINGERPRINT, body };
}

function handoverOf(version: '1' | '2' | '3' | '4') {
  const text = readFileSync(new URL(`fixtures/version-${version}-anchor.json`, import.meta.url), 'utf8');
  const handover = JSON.parse(text) as Handover;
  const manifestBody = Buffer.from(handover.manifest, 'base64');
  const manifest = readerFor('EngineAnchor', RELEASED_ANCHOR)(manifestBody, 0);
  const manifestHash = hashWritten(fingerprintOf(RELEASED_ANCHOR), manifestBody);
  const stateBytes = Buffer.from(handover.state);
  const { activation: first } = JSON.parse(handover.state) as { activation: EngineActivated };
  const trades = syntheticTrades(handover.market);
  const written = version === '1' || version === '2' ? tradedThen : (trade: Trade) => traded(trade);
  const pages = new Map((handover.pages ?? []).map((text) => pageOf(Buffer.from(text, 'base64'))));
  const before: TapeContent[] = trades.slice(0, handover.cut).map(written);
  const watermark =
    handover.watermarked === undefined
      ? undefined
      : watermarkOf([...(handover.market.instruments ?? [])], trades[handover.watermarked - 1]!.eventTime - 60_000_000);
  if (watermark !== undefined) before.splice(handover.watermarked ?? 0, 0, watermarked(watermark));
  const { strategies, ...rest } = JSON.parse(first.configuration) as { strategies: Record<string, object> };
  const second = activationOf(parseConfiguration({ ...rest, strategies: onlyStrategies(strategies) }), {
    ...{ tapeId: 'tape', activationId: 'second', gitCommit: 'abc' },
  });
  const task = (): PartitionTask => restorePartitionTask(manifest, stateBytes, manifestHash, pages);
  const own = (): PartitionTask => {
    const begun = createPartitionTask(manifest.tape.partition);
    run(begun, [activated({ ...second, activationId: 'first' }), ...before]);
    return begun;
  };
  return {
    manifest,
    manifestHash,
    stateBytes,
    first,
    second,
    trades,
    before,
    after: trades.slice(handover.cut),
    pages,
    watermark,
    written,
    task,
    own,
  };
}

describe.each(['1', '2', '3', '4'] as const)('this engine version after version %s', (version) => {
  const {
    manifest,
    manifestHash,
    stateBytes,
    first,
    second,
    trades,
    before,
    after,
    pages,
    watermark,
    written,
    task,
    own,
  } = handoverOf(version);
  const { instruments: then } = parseTaskState(stateBytes, pages);
  const pending = then
    .map(contentOf)
    .flatMap((one) => one.pending.flatMap(({ points }) => points.flatMap(contentOf)))
    .flatMap(([, , , , forecasts]) => forecasts.map(([id]) => id));
  const takenOver = () => {
    const begun = task();
    run(begun, [activated(second)]);
    return begun;
  };

  it('begins where that version stopped', () => {
    const restored = task();
    expect(first.engineVersion).toBe(version);
    expect(restored.nextOffset).toBe(manifest.tape.offset);
    expect(restored.nextOffset).toBe(before.length + 1);
    expect(recordHashOf(before.at(-1)!)).toBe(manifest.tapeRecordHash);
    expect(pending.length).toBeGreaterThan(10);
    expect(restored.nextSequences).toEqual(manifest.nextSequence);
  });

  it('knows how far each market was known', () => {
    const { counts, instruments } = parseTaskState(stateBytes, pages);
    const watermarkUs = watermark?.eventTime ?? null;
    expect(counts.watermarks).toBe(watermark === undefined ? 0 : 1);
    expect(instruments.map((part) => contentOf(part).clock.watermarkUs)).toEqual(instruments.map(() => watermarkUs));
  });

  it('has the sums that it would have itself, as far as doubles allow', () => {
    const [imported, derived] = [takenOver(), own()];
    for (const name of new Set(trades.map(({ instrument }) => instrument))) {
      const [then, now] = [imported.sessionsOf(name), derived.sessionsOf(name)];
      expect(then.map(({ span, firstOffset }) => [span, firstOffset])).toEqual(
        now.map(({ span, firstOffset }) => [span, firstOffset]),
      );
      for (const [index, { vwap }] of then.entries()) {
        const { average, deviation, totalVolume, tradeCount } = now[index]!.vwap;
        expect(vwap.tradeCount).toBe(tradeCount);
        expect(vwap.totalVolume / totalVolume).toBeCloseTo(1, 12);
        expect(vwap.average! / average!).toBeCloseTo(1, 12);
        expect(vwap.deviation).toBeCloseTo(deviation!, 6);
      }
    }
  });

  it('derives nothing until its activation is there', () => {
    const [halted] = run(task(), [written(after[0]!)]);
    expect(halted).toMatchObject({ derived: [], anchor: undefined, foreignActivation: { engineVersion: version } });
  });

  it('resolves every forecast that it took over, by the rule registered then', () => {
    const records = eventsOf(
      run(
        takenOver(),
        after.map((trade) => traded(trade)),
      ),
    );
    const outcomes = ofType<Outcome>(records, 'Outcome').filter(({ forecastId }) => pending.includes(forecastId));
    expect(outcomes.map(({ forecastId }) => forecastId).sort()).toEqual([...pending].sort());
    for (const { engineVersion, verdict } of outcomes) {
      expect(engineVersion).toBe(ENGINE_VERSION);
      expect(['HIT', 'MISS', 'VOID']).toContain(verdict);
    }
  });

  it('decides on the following trades like an engine that ran from the beginning', () => {
    const figures = (begun: PartitionTask) =>
      ofType<IndicatorSnapshot>(
        eventsOf(
          run(
            begun,
            after.map((trade) => traded(trade)),
          ),
        ),
        'IndicatorSnapshot',
      );
    const [then, now] = [figures(takenOver()), figures(own())];
    expect(then.map(({ eventTime, instrument, tradeCount }) => [eventTime, instrument, tradeCount])).toEqual(
      now.map(({ eventTime, instrument, tradeCount }) => [eventTime, instrument, tradeCount]),
    );
    for (const [index, { vwap }] of then.entries()) expect(vwap / now[index]!.vwap).toBeCloseTo(1, 12);
  });

  it('knows the trades that were counted before, and counts none of them again', () => {
    const begun = takenOver();
    const again = run(
      begun,
      before.filter(({ kind }) => kind === 'trade'),
    );
    expect(again.map(({ setAside }) => setAside?.kind)).toEqual(again.map(() => 'duplicates'));
    expect(eventsOf(again)).toEqual([]);
  });

  it('names the anchor of that version as its previous one', () => {
    const [{ anchor } = {}] = run(task(), [activated(second)]);
    expect(anchor?.manifest).toMatchObject({
      engineVersion: ENGINE_VERSION,
      previousAnchorHash: manifestHash.toString('hex'),
    });
  });
});
