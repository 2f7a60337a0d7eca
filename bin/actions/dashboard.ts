import { runDashboard } from '../../dashboard/main.ts';
import { assertProtected } from '../../dashboard/api/authorization.ts';
import { readerUrlOf, type Connections } from '../../platform/connections.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createLog } from '../../platform/log.ts';
import { secretSetting, settings } from '../../platform/security/settings.ts';
import { readBounded } from '../../proofs/tlog/key-file.adapter.ts';
import { stackOptionsFromEnvironment } from '../../stack/options.ts';
import type { HttpOptions } from '../commands/options.ts';
import { connections, print } from '../context.ts';
import { gitCommit } from '../git-commit.ts';
import { interruption } from '../interruption.ts';
import { collectStatus } from '../status/collect.ts';
import { announcedProcesses } from '../status/processes.ts';
import { needsAttention } from '../status/status.ts';
import { withTelemetry } from '../with-telemetry.ts';
import { trustedKeysOf, type TrustedKeyOptions } from './audit-proof.ts';

const TOKEN_BYTES_MAX = 4_096;

export interface DashboardCommandOptions extends TrustedKeyOptions {
  readonly port: number;
  readonly host: string;
  readonly tokenFile?: string;
  readonly json?: true;
}

export async function runDashboardProcess(options: DashboardCommandOptions & HttpOptions): Promise<void> {
  const { host, port, httpNames: names, json } = options;
  const where = connections();
  const token = await tokenFrom(options.tokenFile);
  assertProtected(host, token);
  const keys = await trustedKeysOf(options);
  const commit = await gitCommit();
  const log = createLog('dashboard');
  const signal = interruption();
  const { kafkaBrokers, registryUrl, redisUrl } = where;
  const dependencies = { kafkaBrokers, registryUrl, postgresUrl: readerUrlOf(where), redisUrl };
  await withTelemetry({ service: 'dashboard', dependencies, commit, log, options, signal }, (telemetry) =>
    runDashboard({
      ...{ connections: where, log, telemetry, signal, host, port, names, token, keys, pipelineStatus },
      onListening: (url) => {
        print(json, { url }, () => `The dashboard is at ${url}`);
      },
    }),
  );
}

/** @throws TapeproofError CONFIGURATION where it is given twice; NOT_USABLE, USAGE for a file that cannot be used. */
async function tokenFrom(file: string | undefined): Promise<string | undefined> {
  const secret = secretSetting(settings(), 'TAPEPROOF_DASHBOARD_TOKEN');
  if (file === undefined) return secret;
  if (secret === undefined) return (await readBounded(file, TOKEN_BYTES_MAX, 'token')).trim();
  throw new TapeproofError('CONFIGURATION', 'TAPEPROOF_DASHBOARD_TOKEN and --token-file are both given: give one.');
}

async function pipelineStatus(where: Connections) {
  const { folder } = stackOptionsFromEnvironment(process.env);
  const status = await collectStatus(where, announcedProcesses(folder));
  return { ...status, attention: needsAttention(status) };
}
