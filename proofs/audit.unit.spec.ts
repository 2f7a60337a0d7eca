import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { Outcome, Trade, Watermark } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import type { DerivedEvent } from '../contracts/topics.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { onlyStrategies } from '../evaluators/fixtures/only-strategies.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import {
  activated,
  amended,
  eventsOf,
  gapBefore,
  missed,
  run,
  watermarked,
  watermarkOf,
  traded,
} from '../evaluators/fixtures/tape-contents.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { recordedLog, type Change, type Recorded } from './fixtures/recorded-log.ts';
import { auditText } from './audit-text.ts';
import { audit, type AuditedLog } from './audit.ts';
import type { VerifyPorts } from './verify.ts';

const PARTITION = 2;
const QUIET_US = 1_800_000_000;
const INSTRUMENT = 'BTC-USDT@binance';
const configuration = parseConfiguration({
  hitRule: { horizonMs: 20_000 },
  strategies: onlyStrategies({ VWAP_REVERSION: {}, RANGE_BREAKOUT: {} }),
});
const activation = activationOf(configuration, { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' });
/** Half an hour after the start, the market is quiet for as long, without a watermark. */
const QUIET_FROM_US = 1_742_943_600_000_000 + QUIET_US / 2;
const trades = syntheticTrades({ seed: 7, count: 3_000 }).map((trade) => {
  const laterUs = trade.eventTime < QUIET_FROM_US ? 0 : QUIET_US;
  return { ...trade, eventTime: trade.eventTime + laterUs, receivedAt: trade.receivedAt + laterUs };
});
/** A live tape: the trades, gaps among them, and at the end a watermark after another quiet hour. */
const contents = liveTape();
const derived = eventsOf(run(createPartitionTask(PARTITION), contents));

type MarketContent = Extract<TapeContent, { readonly kind: 'trade' | 'watermark' | 'gap' }>;

function liveTape(): [TapeContent, ...MarketContent[]] {
  const market: MarketContent[] = trades.map((trade) => traded(trade));
  const halfway = trades[1_500]!;
  market.splice(1_500, 0, missed(gapBefore(halfway, 9_000, 12)), missed(gapBefore(halfway, 9_006, 10)));
  market.splice(1_600, 0, traded({ ...halfway, tradeId: '9003' }));
  const endUs = Math.max(...trades.map(({ eventTime }) => eventTime));
  return [activated(activation), ...market, watermarked(watermarkOf([INSTRUMENT], endUs + QUIET_US))];
}

/** The derived log of a tape, with some events and some tape records tampered with. */
const logOf = (tampered: Partial<Omit<Recorded, 'derived' | 'activation'>> = {}): AuditedLog =>
  recordedLog({ derived, activation, tape: contents, ...tampered });

const options = { listTrades: false, verifyWith: undefined };
const outcome = derived
  .map(({ event }) => event)
  .find(
    (event): event is Outcome => 'forecastId' in event && event.forecastKind === 'DECISION' && event.verdict !== 'VOID',
  )!;
const last = derived
  .map(({ event }) => event)
  .findLast((event) => 'contributions' in event && event.direction !== 'NEUTRAL')!;

/** Names of the checks that failed. */
async function failures(log: AuditedLog, id = outcome.eventId): Promise<string[]> {
  const { checks } = await audit(log, id, options);
  return checks.filter(({ passed }) => !passed).map(({ name }) => name);
}
const only =
  (match: (event: DerivedEvent) => boolean, changed: ReturnType<Change>): Change =>
  (event) =>
    match(event) ? changed : {};
const isDecision = (event: DerivedEvent) => event.eventId === outcome.forecastId;
const isResult = (event: DerivedEvent) =>
  event.eventId.startsWith('result-') && event.eventId.endsWith('-0') && event.tape.offset === decision.tape.offset;
const isSnapshot = (event: DerivedEvent) =>
  event.eventId.startsWith('snapshot-') && event.tape.offset === decision.tape.offset;
const decision = derived.map(({ event }) => event).find(isDecision)!;

function tradeAt(offset: number): Trade {
  const content = contents[offset];
  if (content?.kind !== 'trade') throw new RangeError(`there is no trade at offset ${offset}`);
  return content.trade;
}

describe('audit', () => {
  it('walks an outcome down to its first and last trade, and passes every check', async () => {
    const report = await audit(logOf(), outcome.eventId, options);
    expect(report.decision?.event.eventId).toBe(outcome.forecastId);
    expect(report.results).toHaveLength(2);
    expect(report.snapshot.event.tape).toEqual(decision.tape);
    expect(report.trades.last.offset).toBe(decision.tape.offset);
    expect(report.trades.count).toBeLessThanOrEqual(report.trades.lastOffset - report.trades.firstOffset + 1);
    expect(report.checks.map(({ passed }) => passed)).not.toContain(false);
    expect(report.checks.length).toBeGreaterThanOrEqual(7);
    const text = auditText(report);
    for (const part of [
      outcome.eventId,
      outcome.forecastId,
      report.snapshot.event.eventId,
      'first trade',
      'last trade',
      'Not checked:',
      'that the rows in Postgres and the values in Redis agree',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('gives the same report for the decision as for its outcome', async () => {
    const { asked, ...report } = await audit(logOf(), outcome.forecastId, options);
    expect(asked).toBe(outcome.forecastId);
    expect(report).toEqual({ ...(await audit(logOf(), outcome.eventId, options)), asked: undefined, ...report });
  });

  it('lists every trade on request', async () => {
    const report = await audit(logOf(), outcome.forecastId, { ...options, listTrades: true });
    expect(report.trades.all).toHaveLength(report.trades.count);
    expect(auditText(report).match(/^.*trade \d+ {2}/gm)).toHaveLength(report.trades.count);
  });

  it('reports that an outcome is pending', async () => {
    const change = only((event) => 'forecastId' in event && event.forecastId === last.eventId, 'gone');
    const report = await audit(logOf({ change }), last.eventId, options);
    expect(report.pendingUntil).toBe(last.eventTime + 20_000_000);
    expect(auditText(report)).toContain('outcome pending');
    expect(report.checks.every(({ passed }) => passed)).toBe(true);
  });

  it.each([
    ['a forged probability', only(isDecision, { probability: 0.9 }), 'the decision pooled again'],
    ['a changed direction', only(isDecision, { direction: 'NEUTRAL' }), 'the decision pooled again'],
    ['a forged strategy result', only(isResult, { probability: 0.77 }), 'evaluated again'],
    ['a forged confidence', only(isResult, { confidence: 0.99 }), 'evaluated again'],
    ['a forged VWAP', only(isSnapshot, { vwap: 1 }), 'added up anew'],
    ['a forged trade count', only(isSnapshot, { tradeCount: 1 }), 'added up anew'],
    ['a forged last price', only(isSnapshot, { lastPrice: Decimal.of('1') }), 'the last trade is the cause'],
    [
      'a changed verdict',
      only((event) => event.eventId === outcome.eventId, { verdict: outcome.verdict === 'HIT' ? 'MISS' : 'HIT' }),
      'the verdict reached again',
    ],
    [
      'a forged observed price',
      only((event) => event.eventId === outcome.eventId, { observedPrice: Decimal.of('1') }),
      'the verdict reached again',
    ],
    ['a moved decision', only(isDecision, { eventTime: decision.eventTime + 1 }), 'the chain rests on one trade'],
  ] satisfies [string, Change, string][])('notices %s', async (_what, change, check) => {
    expect((await failures(logOf({ change }))).join()).toContain(check);
  });

  it('detects a trade of the tape that was changed', async () => {
    const { offset } = (await audit(logOf(), outcome.eventId, options)).trades.first;
    const tape = contents.with(offset, traded({ ...tradeAt(offset), size: Decimal.of('12345') }));
    expect((await failures(logOf({ tape }))).join()).toContain('added up anew');
  });

  const isVoid = (event: DerivedEvent): event is Outcome => 'forecastId' in event && event.verdict === 'VOID';
  const voids = derived.map(({ event }) => event).filter(isVoid);
  const byWatermark = voids.find(({ causes }) => causes[1]?.startsWith('watermark-'))!;
  const byTrade = voids.find(({ causes }) => causes[1]?.startsWith('trade-'))!;

  const GRACE_END_US = byWatermark.dueTime + configuration.hitRules[0]!.graceMs * 1_000;

  it('follows an outcome that is VOID to the watermark that proves it, or to the trade that came too late', async () => {
    const report = await audit(logOf(), byWatermark.eventId, options);
    expect(report.voidingWatermark?.offset).toBe(byWatermark.tape.offset);
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
    const text = auditText(report);
    expect(text).toContain(`watermark  1 instruments of binance are known up to here`);
    expect(text).toContain(`raw.trades-2 @ ${byWatermark.tape.offset}`);
    const late = await audit(logOf(), byTrade.eventId, options);
    expect(late.voidingWatermark).toBeUndefined();
    expect(late.checks.filter(({ passed }) => !passed)).toEqual([]);
  });

  it.each([
    ['does not exist', { ...byWatermark, tape: { ...byWatermark.tape, offset: byWatermark.tape.offset + 1 } }, {}],
    ['has another time', {}, { eventTime: byWatermark.eventTime + 1 }],
    ['came before the grace was over', { eventTime: GRACE_END_US }, { eventTime: GRACE_END_US }],
    ['is about other instruments', {}, { instruments: ['ETH-USDT@binance'] }],
    ['is refused by the engine', {}, { receivedAt: byWatermark.eventTime - 11_000_000 }],
  ] as [string, ReturnType<Change>, Partial<Watermark>][])(
    'detects a VOID whose watermark %s',
    async (_what, changed, tampered) => {
      const { offset } = byWatermark.tape;
      const content = contents[offset];
      if (content?.kind !== 'watermark') throw new RangeError('there is no watermark');
      const tape = contents.with(offset, watermarked({ ...content.watermark, ...tampered }));
      const change = only((event) => event.eventId === byWatermark.eventId, changed);
      expect(await failures(logOf({ change, tape }), byWatermark.eventId)).toContain('the verdict reached again');
    },
  );

  it.each([
    ['in time, before the watermark', byWatermark, byWatermark.dueTime],
    ['in time, before the one that was too late', byTrade, byTrade.dueTime],
    ['too late, and earlier than the one named', byTrade, byTrade.eventTime],
  ])('notices a VOID though a trade came %s', async (_what, voided, eventTime) => {
    const another = { ...trades[0]!, eventTime, receivedAt: eventTime, tradeId: 'another' };
    const tape = contents.with(voided.tape.offset - 1, traded(another));
    expect(await failures(logOf({ tape }), voided.eventId)).toContain('the verdict reached again');
  });

  it('leaves to another engine version the events that only that one can derive again', async () => {
    const change: Change = () => ({ engineVersion: '1' });
    const unread = { reader: {}, registry: {}, decode: {} } as VerifyPorts;
    const report = await audit(logOf({ change }), outcome.eventId, { ...options, verifyWith: unread });
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.notChecked.join()).toContain('engine 1 derived this');
    // Nothing was derived again, and that must not look like a pass.
    const [missing] = report.notDerived;
    expect(missing).toMatchObject({ engineVersion: '1' });
    expect(missing!.eventIds).toContain(outcome.eventId);
    expect(auditText(report)).toContain('PARTLY CHECKED');
  });

  it('names the commit whose build can derive the events of another engine version', async () => {
    const change: Change = () => ({ engineVersion: '1' });
    const unread = { reader: {}, registry: {}, decode: {} } as VerifyPorts;
    const older = recordedLog({
      ...{ derived, tape: contents, change },
      activation: { ...activation, engineVersion: '1', gitCommit: 'beef' },
    });
    const report = await audit(older, outcome.eventId, { ...options, verifyWith: unread });
    expect(auditText(report)).toMatch(/engine 1 derived them; run this in its build, commit beef/);
    expect((await audit(older, outcome.eventId, options)).notDerived).toEqual([]);
  });

  it('reports how many trades are missing behind a decision', async () => {
    const { offset } = derived
      .map(({ event }) => event)
      .find(({ eventId, tape }) => eventId.startsWith('snapshot-') && tape.offset > 1_700)!.tape;
    const report = await audit(logOf(), `snapshot-${PARTITION}-${offset}-0`, options);
    // 9000 to 9011 and 9006 to 9015, of which 9003 came later.
    expect(report.trades.missing).toBe(15);
    expect(report.trades.gaps).toHaveLength(2);
    const text = auditText(report);
    expect(text).toContain('15 trades of this instrument are missing in this range');
    expect(text).toContain('gap  9000 to 9011  12 trades  NOT_SERVED');
    expect(text).toContain('the effect that the 15 missing trades would have had');
    expect(auditText(await audit(logOf(), outcome.eventId, options))).not.toContain('missing');
  });

  const cancellationOf = ({ venue, instrument, tradeId, eventTime, price, size }: Trade) =>
    amended('TradeCancelled', {
      ...{ venue, instrument, tradeId, eventTime, price, size },
      ...{ reason: 'busted by the exchange', actor: 'ann', receivedAt: eventTime + 5, source: 'operator' },
    });

  it('reports which trades were taken back since, by whom and why, and that the decision is not changed', async () => {
    const { trades: behind, resolvingTrade } = await audit(logOf(), outcome.eventId, options);
    const since = [behind.first.event, resolvingTrade!.event, trades.at(-1)!].map(cancellationOf);
    const report = await audit(logOf({ since }), outcome.eventId, options);
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.amendedSince.counts).toEqual({ TradeCancelled: 2, TradeCorrected: 0, TradeReleased: 0 });
    const text = auditText(report);
    expect(text).toContain('Since then 2 of these trades taken back: the decision is not changed.');
    expect(text).toContain(`  · ${behind.first.event.tradeId}  `);
    expect(text).toContain('was taken back by ann at 2025-');
    expect(text).toContain(`(raw.trades-2 @ ${contents.length}): busted by the exchange`);
    expect(auditText(await audit(logOf(), outcome.eventId, options))).not.toContain('Since then');
  });

  it('detects that a decision included trades that had been taken back before it', async () => {
    const { first } = (await audit(logOf(), outcome.eventId, options)).trades;
    const tape = contents.with(decision.tape.offset - 1, cancellationOf(first.event));
    expect((await failures(logOf({ tape }))).join()).toContain('added up anew');
  });

  it('reports the trades left out and those that came late in the range', async () => {
    const report = await audit(logOf(), last.eventId, options);
    const { duplicates, late } = report.trades.remarks;
    expect([duplicates?.count, late?.count].every((count) => count !== undefined && count > 0)).toBe(true);
    const text = auditText(report);
    expect(text).toContain(`  · ${duplicates!.count} left out: repetitions of a trade (`);
    expect(text).toContain(`  · ${late!.count} counted, although they came after newer ones (`);
  });

  it('detects a verdict by a trade that cannot resolve a forecast', async () => {
    const { offset } = outcome.tape;
    const tape = contents.with(offset, traded({ ...tradeAt(offset), suspicious: true }));
    expect(await failures(logOf({ tape }))).toContain('the verdict reached again');
  });

  it.each([
    ['a wrong move in points', { movePoints: Decimal.of('12345') }],
    ['no move in points in an outcome of engine 3', { movePoints: null, engineVersion: '3' }],
  ])('notices %s', async (_what, changed) => {
    const change = only((event) => event.eventId === outcome.eventId, changed);
    expect(await failures(logOf({ change }))).toContain('the verdict reached again');
  });

  it('reaches the verdict by points if the forecast requires it', async () => {
    const move = outcome.observedPrice!.minus(outcome.referencePrice);
    const magnitude = move.whole < 0 ? move.negated() : move;
    const withRule = (minMovePoints: Decimal, verdict: Outcome['verdict']): Change => {
      return (event) => {
        if (event.eventId === outcome.eventId) return { verdict };
        if (event.eventId !== outcome.forecastId || !('contributions' in event || 'indicators' in event)) return {};
        return { hitRule: { ...event.hitRule, minMovePoints } };
      };
    };
    const isRight = move.whole < 0 === (outcome.direction === 'SHORT') && !move.isZero();
    const least = magnitude.isZero() ? Decimal.ZERO : magnitude.minus(Decimal.of('0.001'));
    for (const [rule, verdict, passes] of [
      [least, isRight ? 'HIT' : 'MISS', true],
      [least, isRight ? 'MISS' : 'HIT', false],
      // A move of exactly that size is not enough.
      [magnitude, 'MISS', true],
      [magnitude, 'HIT', false],
    ] as const) {
      const failed = await failures(logOf({ change: withRule(rule, verdict) }));
      expect(failed.includes('the verdict reached again')).toBe(!passes);
    }
    const report = await audit(logOf({ change: withRule(magnitude, 'MISS') }), outcome.eventId, options);
    expect(auditText(report)).toContain(
      `by more than ${magnitude.toString()} from ${outcome.referencePrice.toString()}`,
    );
  });

  it('refuses a broken chain, an unknown id and a malformed one, each in a sentence', async () => {
    await expect(audit(logOf({ change: only(isSnapshot, 'gone') }), outcome.eventId, options)).rejects.toMatchObject({
      code: 'CHECK_FAILED',
      message: expect.stringContaining('chain is broken') as string,
    });
    await expect(audit(logOf(), 'decision-2-999999-0', options)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(audit(logOf(), 'decision', options)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
