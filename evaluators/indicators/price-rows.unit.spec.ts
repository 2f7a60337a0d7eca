import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { PriceRows } from './price-rows.ts';

const rows = fc
  .record({ units: fc.bigInt({ min: 1n, max: 10n ** 20n }), zeros: fc.nat({ max: 20 }), isUniform: fc.boolean() })
  .map(({ units, zeros, isUniform }) =>
    isUniform
      ? PriceRows.uniform(Decimal.fromUnits(units))
      : PriceRows.finerBelow(Decimal.fromUnits(10n ** BigInt(zeros))),
  );
/** Of all magnitudes, also below 0. */
const prices = fc
  .tuple(fc.bigInt({ min: -999n, max: 999n }), fc.nat({ max: 24 }), fc.bigInt({ min: -2n, max: 2n }))
  .map(([digits, zeros, hair]) => Decimal.fromUnits(digits * 10n ** BigInt(zeros) + hair));
const isCounted = (row: number) => Math.abs(row) < 9e15;

describe('PriceRows', () => {
  it('hold each price between their lower edge and the next', () => {
    fc.assert(
      fc.property(rows, prices, (each, price) => {
        const row = each.rowOf(price);
        fc.pre(isCounted(row));
        const [edge, next] = [each.lowerEdgeOf(row), each.lowerEdgeOf(row + 1)];
        const height = each.distanceOf(row, row + 1);
        // An edge beyond a decimal's bounds is cut to them.
        expect(edge.compare(price) <= 0).toBe(true);
        expect(price.compare(next) < 0 || next.whole > 999_999_999_999_998).toBe(true);
        if (Math.abs(next.whole) < 1e14 && Math.abs(edge.whole) < 1e14) expect(next.minus(edge)).toEqual(height);
        const far = each.lowerEdgeOf(row + 20_000);
        if (Math.abs(far.whole) < 1e14 && Math.abs(edge.whole) < 1e14) {
          expect(each.distanceOf(row, row + 20_000)).toEqual(far.minus(edge));
        }
        expect(PriceRows.of(each.binSize, each.depth).rowOf(price)).toBe(row);
      }),
      { numRuns: 5_000 },
    );
  });

  it('have the bin size while the price stays near its beginning, and below 0', () => {
    const bin = Decimal.of('0.001');
    const finer = PriceRows.finerBelow(bin);
    const uniform = PriceRows.uniform(bin);
    for (const price of ['30.1', '6.2005', '1']) {
      expect(finer.rowOf(Decimal.of(price))).toBe(uniform.rowOf(Decimal.of(price)));
    }
    const below = finer.rowOf(Decimal.of('-0.4'));
    expect([finer.lowerEdgeOf(below), finer.distanceOf(below, below + 1)]).toEqual([Decimal.of('-0.4'), bin]);
  });

  it('are a thousandth of a price that fell, or less', () => {
    const finer = PriceRows.finerBelow(Decimal.of('0.001'));
    for (const price of ['0.999999', '0.5', '0.01', '0.0012', '0.00031', '0.00000001']) {
      const row = finer.rowOf(Decimal.of(price));
      const height = finer.distanceOf(row, row + 1);
      expect(height.toUnits() * 1_000n <= Decimal.of(price).toUnits()).toBe(true);
    }
  });

  it('stay uniform for a bin size that is not a power of ten', () => {
    expect(PriceRows.finerBelow(Decimal.of('0.25')).depth).toBe(0);
  });
});
