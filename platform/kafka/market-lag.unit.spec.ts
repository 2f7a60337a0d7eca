import { describe, expect, it } from 'vitest';
import { noTelemetry } from '../telemetry.ts';
import { createLog } from '../log.ts';
import { parsePrometheus } from '../../tests/support/prometheus-text.ts';
import { LagTelemetry, type Lag } from './lag-telemetry.ts';
import { marketSecondsBetween } from './market-lag.ts';

const AT_MS = 1_364_774_400_000;

describe('market time between two records', () => {
  it.each([
    [AT_MS, AT_MS + 60_500, 60.5],
    [AT_MS, AT_MS, 0],
    // Unreadable, at either end.
    [AT_MS, undefined, undefined],
    [undefined, AT_MS, undefined],
    // The newest record has the older stamp: an activation, or a late trade.
    [AT_MS, AT_MS - 1, undefined],
  ])('from %s to %s is %s s', (firstMs, lastMs, seconds) => {
    expect(marketSecondsBetween(firstMs, lastMs)).toBe(seconds);
  });
});

describe('the lag that is shown', () => {
  it('has market time beside the time by the clock, and neither where it is unknown', async () => {
    const telemetry = noTelemetry();
    const report = new LagTelemetry({ groupId: 'g', telemetry, log: createLog('test', 'silent') });
    const progress = { isRebalancing: false, of: () => 0 } as never;
    const show = async (lag: Partial<Lag>) => {
      const place = { topic: 'raw.trades', partition: 1, records: 7 };
      report.measured([{ ...place, seconds: undefined, marketSeconds: undefined, ...lag }], progress);
      const families = parsePrometheus(await telemetry.metrics.text());
      return ['seconds', 'market_seconds'].map(
        (unit) => families.get(`tapeproof_consumer_lag_${unit}`)?.samples[0]?.value,
      );
    };
    expect(await show({ seconds: 400_000_000, marketSeconds: 60.5 })).toEqual([400_000_000, 60.5]);
    expect(await show({ seconds: 3 })).toEqual([3, undefined]);
    expect(await show({})).toEqual([undefined, undefined]);
    expect(await show({ seconds: 0, marketSeconds: 0 })).toEqual([0, 0]);
    report.close();
    expect((await telemetry.metrics.text()).match(/^tapeproof_consumer_lag/m)).toBeNull();
  });
});
