import { join } from 'node:path';
import { readerUrlOf, type Connections } from '../platform/connections.ts';
import { unlessAborted } from '../platform/deadline.ts';
import { TapeproofError } from '../platform/errors.ts';
import { isKnownDown } from '../platform/health/dependencies.ts';
import type { Log } from '../platform/log.ts';
import { keepSecret } from '../platform/security/redaction.ts';
import type { Telemetry } from '../platform/telemetry.ts';
import type { TrustedKeys } from '../proofs/checkpoints/recorded-checkpoint.ts';
import { assertProtected } from './api/authorization.ts';
import { Shared } from './api/bounded.ts';
import { readHistory, type RunningHistory } from './api/history.adapter.ts';
import { readLatestStates, type RunningLatestStates } from './api/latest.adapter.ts';
import { readLog } from './api/log.adapter.ts';
import { pipelineAnswer, type PipelineStatus, type StatusPart, type StoredRebuild } from './api/pipeline-answer.ts';
import { Rates } from './api/rates.ts';
import { ApiProblem } from './api/problems.ts';
import type { ReadModels } from './api/read-models.ts';
import { createDashboardServer } from './api/server.ts';
import type { PipelineResponse, ServiceName, ServiceState } from './contract/pipeline.ts';

/** How long the state of the pipeline is kept: computing it asks every service. */
const PIPELINE_KEPT_MS = 5_000;
const SERVICES: readonly ServiceName[] = ['kafka', 'registry', 'postgres', 'redis'];
const WEB_FOLDER = join(import.meta.dirname, 'web', 'dist');
const US_PER_MS = 1_000;

export interface DashboardRun {
  readonly connections: Connections;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Host names by which it may be asked, besides its address and localhost. */
  readonly names: readonly string[];
  /** Required of every request to the API; undefined for none, on loopback only. */
  readonly token: string | undefined;
  /** Held to the checkpoints. */
  readonly keys: TrustedKeys;
  /** What `tapeproof status` shows. */
  readonly pipelineStatus: (connections: Connections) => Promise<PipelineStatus>;
  /** Called with the address once it answers. */
  readonly onListening: (url: string) => void;
}

/**
 * Serves the API and the web page until `signal`. It only reads, and answers what it can while a service is down.
 *
 * @throws TapeproofError CONFIGURATION where other machines could read without a token; UNREACHABLE when the address cannot
 *   be listened on.
 */
export async function runDashboard(run: DashboardRun): Promise<void> {
  const { log, telemetry, signal, host, names, token } = run;
  assertProtected(host, token);
  if (token !== undefined) keepSecret(token);
  const { models, close } = openReadModels(run);
  try {
    const nowUs = () => Date.now() * US_PER_MS;
    const { app } = await createDashboardServer({
      ...{ models, telemetry, log, nowUs, host, names, token },
      webFolder: WEB_FOLDER,
    });
    try {
      const url = await listen(app, host, run.port);
      telemetry.health.set('dashboard', { alive: true, ready: true, detail: `answers at ${url}` });
      log.event('dashboard-listening', `the dashboard answers at ${url}`, { 'url.full': url });
      run.onListening(url);
      await unlessAborted(new Promise<never>(() => undefined), signal);
    } finally {
      await app.close();
    }
  } finally {
    await close();
  }
  log.event('dashboard-stopped', 'the dashboard stopped as requested');
}

/** The stores behind the ports; each is opened when it is first asked. */
function openReadModels({ connections, log, telemetry, keys, pipelineStatus }: DashboardRun): {
  readonly models: ReadModels;
  readonly close: () => Promise<void>;
} {
  const latest = readLatestStates(connections.redisUrl);
  const history = readHistory(readerUrlOf(connections));
  const { activationPlaces } = history;
  const logReads = readLog({ connections, log, telemetry, keys, activationPlaces });
  const asReader = { ...connections, postgresUrl: readerUrlOf(connections) };
  const rates = new Rates();
  const pipeline = new Shared(PIPELINE_KEPT_MS, () => collected({ history, latest, rates }, pipelineStatus(asReader)));
  return {
    models: {
      ...{ latest, history, log: logReads },
      pipeline: () => pipeline.get(),
      services: () => servicesOf(telemetry),
    },
    close: async () => {
      await Promise.allSettled([latest.close(), history.close(), logReads.close()]);
    },
  };
}

interface PipelineSources {
  readonly history: RunningHistory;
  readonly latest: RunningLatestStates;
  readonly rates: Rates;
}

async function collected(
  { history, latest, rates }: PipelineSources,
  status: Promise<PipelineStatus>,
): Promise<PipelineResponse> {
  const [shown, ledger, rebuilds, newestGaps] = await Promise.all([
    status,
    partOf(history.ledger()),
    partOf(rebuildsOf(history, latest)),
    partOf(history.newestGaps()),
  ]);
  return pipelineAnswer(shown, { ledger, rebuilds, newestGaps }, rates, Date.now() * US_PER_MS);
}

/** Of both stores. */
async function rebuildsOf(history: RunningHistory, latest: RunningLatestStates): Promise<readonly StoredRebuild[]> {
  const [inPostgres, inRedis] = await Promise.all([history.rebuilds(), latest.rebuild()]);
  return inRedis === undefined ? inPostgres : [...inPostgres, inRedis];
}

/** Why a part is missing is part of the answer. */
async function partOf<Value>(reading: Promise<Value>): Promise<StatusPart<Value>> {
  try {
    return { value: await reading };
  } catch (error) {
    if (error instanceof ApiProblem) return { missing: error.message };
    throw error;
  }
}

/** By the probes that run every second. */
function servicesOf({ health }: Telemetry): readonly ServiceState[] {
  return SERVICES.map((name) => {
    const part = health.parts.get(name);
    const isDown = isKnownDown(part);
    return { name, up: !isDown, reason: isDown ? (part?.detail ?? null) : null };
  });
}

async function listen(
  app: { listen(address: { host: string; port: number }): Promise<string> },
  host: string,
  port: number,
): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const place = `Port ${port} of ${host}`;
    const sentence =
      code === 'EADDRINUSE'
        ? `${place} is in use: give another with --port or TAPEPROOF_DASHBOARD_PORT, or 0 for a free one.`
        : `${place} cannot be listened on (${message}): give another address with --host and --port.`;
    throw new TapeproofError('UNREACHABLE', sentence, { cause: error });
  }
}
