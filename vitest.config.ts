import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LANES } from './tests/lanes.ts';

const POLL_TIMEOUT_MS = 60_000;
/** A package of its own; `make test` installs it. */
const AWS_APP = 'deploy/aws';
const isAwsAppInstalled = existsSync(`${AWS_APP}/node_modules`);
if (!isAwsAppInstalled) console.warn(`The tests of ${AWS_APP} are skipped: run "npm ci" there to have them.`);
const EXCLUDED = ['**/node_modules/**', '.tapeproof/**', ...(isAwsAppInstalled ? [] : [`${AWS_APP}/**`])];
/** `make test` leaves them out, to end in half an hour; `make test-all`, as CI runs it, has them. */
const LONG = '**/*.long.spec.ts';
const withoutLong = process.env['TAPEPROOF_TESTS'] === 'short';
if (withoutLong) console.warn(`The long tests (${LONG}) are left out: "make test-all" has them.`);

/**
 * Three tiers. `fast` needs only Node; so does `slow`, which `npm run check` leaves out: simulations, and processes that
 * each test starts. `stack` starts the local services once for each lane (tests/stack.setup.ts); the
 * files of a lane run one after the other and have its services to themselves, also to break them.
 */
export default defineConfig({
  test: {
    reporters: ['default', './tests/closing-line.reporter.ts'],
    projects: [
      {
        test: {
          name: 'fast',
          include: ['**/*.unit.spec.ts', '**/*.contract.spec.ts'],
          exclude: EXCLUDED,
          // They share only modules, which are loaded once per worker: half the processor time.
          isolate: false,
          maxWorkers: availableParallelism(),
          // Limits against hanging, not measures of speed: machines are shared.
          testTimeout: 180_000,
          expect: { poll: { timeout: POLL_TIMEOUT_MS } },
        },
      },
      {
        test: {
          name: 'slow',
          env: { TAPEPROOF_ALLOW_DIRTY: '1' },
          include: ['**/*.slow.spec.ts'],
          exclude: EXCLUDED,
          maxWorkers: availableParallelism(),
          testTimeout: 180_000,
          expect: { poll: { timeout: POLL_TIMEOUT_MS } },
        },
      },
      {
        test: {
          name: 'stack',
          // Whoever changes the code runs its tests before the commit.
          env: { TAPEPROOF_ALLOW_DIRTY: '1' },
          include: ['**/*.integration.spec.ts', LONG],
          exclude: withoutLong ? [...EXCLUDED, LONG] : EXCLUDED,
          globalSetup: ['./tests/stack.setup.ts'],
          // As above; and the lanes share the processor with each other.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: POLL_TIMEOUT_MS } },
          maxWorkers: LANES,
          // After the fast ones, which would take the processor from what waits for a broker.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
