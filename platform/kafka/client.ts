import { Kafka, logLevel, type ISocketFactory, type LogEntry, type RetryOptions } from 'kafkajs';
import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { withDeadline } from '../deadline.ts';
import { TapeproofError } from '../errors.ts';
import { createLog, type Log } from '../log.ts';
import { serverNameOf } from '../security/tls.ts';
import { isFailedBroker, isRefusedForGood, refusalByKafka } from './kafka-failure.ts';
import { kafkajsSecurity, kafkaSecurityFrom, type KafkaSecurity } from './security.ts';

const CONNECTION_TIMEOUT_MS = 5_000;
const AUTHENTICATION_TIMEOUT_MS = 10_000;
/**
 * kafkajs authenticates again when a session has this little left. Where it never has more, kafkajs does so before each
 * request, which a broker refuses within a second of the last time: so this bounds how short sessions may be.
 */
const REAUTHENTICATION_THRESHOLD_MS = 3_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_DELAY_MS = 60_000;

/** kafkajs gives up after 7–10 s with its defaults; with these, one operation rides out about two minutes. */
export const RIDE_OUT_RETRY = {
  initialRetryTime: 100,
  maxRetryTime: 1_000,
  factor: 0.2,
  multiplier: 2,
  retries: 120,
} as const satisfies RetryOptions;

/** For a first check that somebody waits for: a refused connection is given up after a second. */
const FIRST_LOOK_RETRY = { ...RIDE_OUT_RETRY, retries: 3 } as const satisfies RetryOptions;

/** Between two attempts at work that a failed broker ended. */
const WORK_AGAIN_DELAY_MS = 500;

/** How long a person waits before Kafka is reported unreachable. */
export const ADMIN_DEADLINE_MS = 15_000;

/** How a client differs from the others of its process. */
interface ClientSettings {
  readonly retry?: RetryOptions;
  readonly security?: KafkaSecurity;
}

/**
 * The kafkajs client, every option explicit. One per process and consumer group: kafkajs shares its cache of committed
 * offsets among all consumers of one client.
 *
 * @param brokers `host:port` each.
 * @throws TapeproofError CONFIGURATION where its security settings are wrong.
 */
export function createKafka(
  brokers: readonly string[],
  clientId: string,
  log: Log = createLog(clientId, 'warn'),
  { retry = RIDE_OUT_RETRY, security = kafkaSecurityFrom() }: ClientSettings = {},
): Kafka {
  const write = kafkaLogWriter(log);
  const handshakes = new EventEmitter().setMaxListeners(0);
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId,
    ...kafkajsSecurity(security),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: AUTHENTICATION_TIMEOUT_MS,
    reauthenticationThreshold: REAUTHENTICATION_THRESHOLD_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry,
    socketFactory: (target) => connectWithoutDelay(target, handshakes),
    logLevel: logLevel.INFO,
    logCreator: () => write,
  });
  handshakesOf.set(kafka, handshakes);
  addresses.set(kafka, { brokers, clientId, security });
  return kafka;
}

/** How to reach the Kafka of a client by another library. */
export interface KafkaAddress {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly security: KafkaSecurity;
}

const addresses = new WeakMap<Kafka, KafkaAddress>();

/** @param kafka - made by {@link createKafka}. */
export function addressOf(kafka: Kafka): KafkaAddress {
  const address = addresses.get(kafka);
  if (address === undefined) throw new Error('this client was not made by createKafka');
  return address;
}

/** By client: emits `refused` with the error of a TLS handshake, which kafkajs would retry for two minutes. */
const handshakesOf = new WeakMap<Kafka, EventEmitter>();

/** kafkajs' own lets a request wait for the acknowledgement of the bytes before it: up to 40 ms (Nagle's algorithm). */
function connectWithoutDelay(
  { host, port, ssl, onConnect }: Parameters<ISocketFactory>[0],
  handshakes: EventEmitter,
): Socket {
  const target = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS };
  // kafkajs passes on its own setting, which is false for plain text.
  if (!(ssl as typeof ssl | false)) return connect(target, onConnect);
  const socket = connectTls({ ...target, ...serverNameOf(host), ...ssl }, onConnect);
  socket.once('error', (error) => {
    if (isRefusedForGood(error)) handshakes.emit('refused', error);
  });
  return socket;
}

const REPEAT_SILENCE_MS = 10_000;
const MESSAGES_REMEMBERED_MAX = 100;

/** Reported again by the caller whose request failed. */
const NOISE = /^(Connection error|Response )/;

/** consumer.ts reports this itself. */
const MEMBERSHIP = /joined the group|is rebalancing/;

/** kafkajs logs each retry as an error; here it is a warning at most once in ten seconds. */
function kafkaLogWriter(log: Log): (entry: LogEntry) => void {
  const lastWritten = new Map<string, number>();
  return ({ namespace, level, log: { message, timestamp: _timestamp, logger: _logger, ...details } }) => {
    const logger = `kafkajs.${namespace}`;
    if (level === logLevel.INFO || MEMBERSHIP.test(message) || NOISE.test(message)) {
      log.debug({ 'log.logger': logger }, message);
      return;
    }
    const now = Date.now();
    if (now - (lastWritten.get(message) ?? 0) < REPEAT_SILENCE_MS) return;
    if (lastWritten.size >= MESSAGES_REMEMBERED_MAX) lastWritten.clear();
    lastWritten.set(message, now);
    const { groupId, broker, topic, partition, error } = details as Record<string, unknown>;
    log.event('kafka-client', `Kafka client: ${message}`, {
      'log.logger': logger,
      'event.reason': textOf(error),
      'tapeproof.group': textOf(groupId),
      'tapeproof.broker': textOf(broker),
      'tapeproof.topic': textOf(topic),
      'tapeproof.partition': typeof partition === 'number' ? partition : undefined,
    });
  };
}

function textOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error);
}

/** One sentence for people: Kafka does not answer, or it answered and refused: then what it refused, and what to do. */
export function kafkaUnreachable(cause?: unknown): TapeproofError {
  const refusal = refusalByKafka(cause);
  if (refusal !== undefined) return refusal;
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new TapeproofError(
    'UNREACHABLE',
    `Kafka does not answer${reason}: start the services with "npx tapeproof stack up", or set TAPEPROOF_KAFKA_BROKERS to its address.`,
    { cause },
  );
}

/**
 * Passes once Kafka answers. For a command that a person waits for: its later requests ride out a restart, and would
 * stay silent for as long where nothing listens.
 *
 * @throws TapeproofError UNREACHABLE, at once where the connection is refused.
 */
export async function assertKafkaAnswers(brokers: readonly string[], clientId: string): Promise<void> {
  // The client's own setting: kafkajs connects by that, whatever the admin client is given.
  const admin = createKafka(brokers, clientId, createLog(clientId, 'error'), { retry: FIRST_LOOK_RETRY }).admin();
  try {
    await withDeadline(admin.connect(), ADMIN_DEADLINE_MS, () => kafkaUnreachable());
  } catch (error) {
    throw error instanceof TapeproofError ? error : kafkaUnreachable(error);
  } finally {
    admin.disconnect().catch(() => undefined);
  }
}

/**
 * Runs `work` with a connected admin client, within a deadline; again where a broker failed meanwhile, which the others
 * list for some seconds more. It must be harmless to repeat.
 *
 * @throws TapeproofError UNREACHABLE when Kafka does not answer in time; CONFIGURATION when it refuses; any
 *   TapeproofError of `work`.
 */
export async function withAdmin<T>(
  kafka: Kafka,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
  deadlineMs = ADMIN_DEADLINE_MS,
): Promise<T> {
  const ended = new AbortController();
  try {
    return await withDeadline(
      Promise.race([untilAnswered(kafka, work, ended.signal), refusedHandshake(kafka, ended.signal)]),
      deadlineMs,
      () => kafkaUnreachable(),
    );
  } catch (error) {
    throw error instanceof TapeproofError ? error : kafkaUnreachable(error);
  } finally {
    ended.abort();
  }
}

async function untilAnswered<T>(
  kafka: Kafka,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
  ended: AbortSignal,
): Promise<T> {
  while (true) {
    // With metadata of its own, that names the brokers of now.
    const admin = kafka.admin({ retry: RIDE_OUT_RETRY });
    const disconnect = (): void => {
      admin.disconnect().catch(() => undefined);
    };
    ended.addEventListener('abort', disconnect);
    try {
      await admin.connect();
      return await work(admin);
    } catch (error) {
      if (ended.aborted || !isFailedBroker(error)) throw error;
    } finally {
      ended.removeEventListener('abort', disconnect);
      disconnect();
    }
    await sleep(WORK_AGAIN_DELAY_MS);
  }
}

/** Rejects with the error of the next TLS handshake that fails permanently; else stays pending until the signal. */
async function refusedHandshake(kafka: Kafka, signal: AbortSignal): Promise<never> {
  const handshakes = handshakesOf.get(kafka) ?? new EventEmitter();
  const [error] = (await once(handshakes, 'refused', { signal })) as [Error];
  throw error;
}
