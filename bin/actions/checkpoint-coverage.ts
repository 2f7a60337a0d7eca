import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { coverPartition } from '../../proofs/checkpoints/coverage.adapter.ts';
import { coverageText } from '../../proofs/checkpoints/coverage-text.ts';
import { Coverage } from '../../proofs/checkpoints/coverage.ts';
import { print } from '../context.ts';
import { withEvents } from '../with-events.ts';
import { trustedKeysOf, type TrustedKeyOptions } from './audit-proof.ts';

export interface CoverageOptions extends TrustedKeyOptions {
  /** Milliseconds. */
  readonly minHorizon: number;
  readonly json?: true;
}

export async function printCoverage({ minHorizon, json, ...options }: CoverageOptions): Promise<void> {
  const keys = await trustedKeysOf(options);
  await withEvents('checkpoints', async ({ reader, registry, partitions }) => {
    const access = { reader, registry, decode: createTapeDecoder(registry) };
    const coverage = new Coverage(minHorizon);
    for (let partition = 0; partition < partitions; partition += 1) {
      await coverPartition(access, partition, keys, coverage);
    }
    const report = {
      minHorizonMs: minHorizon,
      ...coverage.figures(),
      isVerified: { log: keys.logKeys.length > 0, witnesses: keys.witnessKeys.length > 0 },
    };
    print(json, report, () => coverageText(report));
  });
}
