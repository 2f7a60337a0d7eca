import { defineConfig } from 'vitest/config';

/**
 * Three tiers. `fast` needs only Node; `stack` starts the local services once (tests/stack.setup.ts) and shares them;
 * `faults` starts its own services and breaks them.
 */
export default defineConfig({
  test: {
    reporters: ['default', './tests/closing-line.reporter.ts'],
    projects: [
      {
        test: {
          name: 'fast',
          include: ['**/*.unit.spec.ts', '**/*.contract.spec.ts'],
          exclude: ['node_modules/**', '.tapeproof/**'],
          // They share only modules, which are loaded once per worker: half the processor time.
          isolate: false,
          // A limit against hanging, not a measure of speed: machines are shared.
          testTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'stack',
          include: ['**/*.integration.spec.ts', 'tests/faults/**/*.spec.ts'],
          exclude: ['node_modules/**', '.tapeproof/**'],
          globalSetup: ['./tests/stack.setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
