import { describe, expect, it } from 'vitest';
import type { ProbabilityDecision } from '../../contracts/generated/events.ts';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, traded } from '../../evaluators/fixtures/tape-contents.ts';
import { derivedLog } from '../../tests/support/derived-log.ts';
import { recommendationsCsv, recommendationsText } from './recommendations-text.ts';
import { recommendationsReport } from './recommendations.ts';

const PARTITION = 1;
const INSTRUMENT = 'BTC-USDT@binance';
const hitRule = { horizonMs: 20_000 };
const first = activationOf(parseConfiguration({ hitRule }), {
  ...{ tapeId: 'tape', activationId: 'first', gitCommit: 'abc' },
});
const second = {
  ...activationOf(parseConfiguration({ hitRule, cadenceMs: 2_000 }), {
    ...{ tapeId: 'tape', activationId: 'second', gitCommit: 'def' },
  }),
  actor: '=HYPERLINK("x")',
  reason: 'slower\u001b[2K',
};
const trades = syntheticTrades({ seed: 7, count: 2_000 }).map((trade) => traded(trade));
const contents = [
  ...[activated(first), ...trades.slice(0, 700)],
  ...[activated(second), ...trades.slice(700, 1_400)],
  ...[activated({ ...first, activationId: 'third' }), ...trades.slice(1_400)],
];
const { memory, log } = derivedLog(PARTITION, contents, isoTimeOf);
const decisions: ProbabilityDecision[] = [];
for await (const { event } of log.range(
  'ProbabilityDecision',
  PARTITION,
  0,
  (await log.boundsOfDecisions(PARTITION))[1],
)) {
  if (event.instrument === INSTRUMENT) decisions.push(event);
}
const report = (fromUs: number, toUs: number) =>
  recommendationsReport(log, { instrument: INSTRUMENT, partition: PARTITION, fromUs, toUs });
const whole = await report(0, Number.MAX_SAFE_INTEGER / 2);

describe('the recommendations of a time', () => {
  it('are its decisions, from the first time on and before the second', async () => {
    expect(whole.recommendations.map(({ eventId }) => eventId)).toEqual(decisions.map(({ eventId }) => eventId));
    const [from, to] = [decisions[20]!, decisions[30]!];
    const { recommendations } = await report(from.eventTime, to.eventTime);
    expect(recommendations.map(({ eventId }) => eventId)).toEqual(
      decisions.slice(20, 30).map(({ eventId }) => eventId),
    );
    expect(recommendations).toEqual(whole.recommendations.slice(20, 30));
    expect((await report(to.eventTime, to.eventTime)).recommendations).toEqual([]);
  });

  it('name who put in force what each was made with, also where a configuration came back', () => {
    const inForce = ({ tape }: ProbabilityDecision) =>
      tape.offset < 701 ? 'first' : tape.offset < 1_402 ? 'second' : 'third';
    expect(whole.recommendations.map(({ responsible }) => responsible.activationId)).toEqual(decisions.map(inForce));
    expect(new Set(decisions.map(inForce)).size).toBe(3);
  });

  it('have their substantiation, assumptions and outcome', () => {
    const scored = whole.recommendations.filter(({ outcome }) => outcome !== null);
    expect(scored.length).toBeGreaterThan(10);
    for (const { substantiation, assumptions, validity, producedAt, publishedAt } of whole.recommendations) {
      expect(substantiation.strategies.map(({ strategy }) => strategy)).toEqual(
        assumptions.strategies.map(({ name }) => name),
      );
      for (const { sentence } of [substantiation, ...substantiation.strategies])
        expect(sentence.length).toBeGreaterThan(5);
      expect(Date.parse(validity.until) - Date.parse(producedAt)).toBe(validity.horizonMs);
      expect(publishedAt).toBe(producedAt);
    }
  });

  it('are refused where one names what is not in the log', async () => {
    const results = memory.records('strategy.results', PARTITION);
    const [removed] = results.splice(0, 1);
    await expect(report(0, Number.MAX_SAFE_INTEGER / 2)).rejects.toThrow(/The chain of decision-\S+ is broken/);
    results.unshift(removed!);
  });

  it('read only their own part of the logs', async () => {
    memory.ranges.length = 0;
    const [from, to] = [decisions[20]!, decisions[24]!];
    await report(from.eventTime, to.eventTime);
    const read = memory.ranges.filter(({ topic }) => topic === 'raw.trades');
    // The activation alone, at the place that the anchors show.
    expect(read.every((range) => range.to - range.from === 1)).toBe(true);
  });

  it('show what others wrote so that it does no harm', () => {
    const text = recommendationsText(whole);
    expect(text).toContain('not predictions, and not advice');
    expect(text).not.toContain('\u001b');
    const csv = recommendationsCsv(whole);
    expect(csv).not.toContain('\u001b');
    expect(csv).toContain(`"'=HYPERLINK(""x"")"`);
    expect(csv.split('\n')).toHaveLength(decisions.length + 2);
  });
});
