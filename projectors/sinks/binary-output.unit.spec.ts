import { describe, expect, it } from 'vitest';
import { BinaryOutput } from './binary-output.ts';

describe('BinaryOutput.doubleFrom', () => {
  it.each([0, -0, 1.5, -0.1, 5e-324, -5e-324, Number.MAX_VALUE])('copies %d as it writes it', (value) => {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleLE(value, 1);
    const [copied, written] = [new BinaryOutput(8), new BinaryOutput(8)];
    copied.doubleFrom(bytes, 1);
    written.float64(value + 0);
    expect(copied.taken().toString('hex')).toBe(written.taken().toString('hex'));
  });
});
