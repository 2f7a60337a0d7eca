import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { TapeproofError } from '../../platform/errors.ts';
import { BoundedConnections } from '../../platform/health/connections.ts';
import type { Log } from '../../platform/log.ts';
import { textOfUtf8 } from './encoding.ts';
import { formatVerifierKey, type SignerKey, type VerifierKey } from './note-key.ts';
import { formatNote, signatureLine } from './signed-note.ts';
import type { WitnessStore } from './witness-store.adapter.ts';
import { ADD_CHECKPOINT_BYTES_MAX, judge, type Judgement } from './witness.ts';

const HEADER_BYTES_MAX = 8_192;
/** For the whole of a request, its body included. */
const REQUEST_DEADLINE_MS = 10_000;
const IDLE_MS_MAX = 15_000;
const SILENCE_MS_MAX = 20_000;
const CONNECTIONS_MAX = 64;
const DEADLINE_CHECK_INTERVAL_MS = 1_000;
const PLAIN = 'text/plain; charset=utf-8';
/** As C2SP tlog-witness names it. */
const SIZE = 'text/x.tlog.size';

export interface WitnessOptions {
  readonly key: SignerKey;
  readonly logKeys: readonly VerifierKey[];
  readonly store: WitnessStore;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Pick<Log, 'event' | 'sampled'>;
  /** Seconds since 1970. */
  readonly nowS: () => number;
}

export interface WitnessServer {
  readonly port: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * A witness as in C2SP tlog-witness: POST /add-checkpoint cosigns what continues the log as it was seen before, GET
 * /<origin hash>/checkpoint shows what was cosigned last, and GET / states what the witness is and remembers.
 *
 * @throws TapeproofError UNREACHABLE when the address cannot be listened on.
 */
export async function startWitness(options: WitnessOptions): Promise<WitnessServer> {
  const witness = new Witness(options);
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_DEADLINE_MS,
      requestTimeout: REQUEST_DEADLINE_MS,
      keepAliveTimeout: IDLE_MS_MAX,
      connectionsCheckingInterval: DEADLINE_CHECK_INTERVAL_MS,
    },
    (request, response) => void answer(witness, request, response),
  );
  server.setTimeout(SILENCE_MS_MAX);
  new BoundedConnections(server, CONNECTIONS_MAX);
  const port = await listen(server, options.host, options.port);
  return {
    port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await witness.idle();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const place = `Port ${port} of ${host}`;
      reject(
        new TapeproofError(
          'UNREACHABLE',
          `${place} cannot be listened on (${error.message}): give others with --port and --host.`,
          { cause: error },
        ),
      );
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

class Witness {
  readonly #options: WitnessOptions;
  /** One request after the other: judging and remembering are one step, so that no request rolls another back. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** Settles when no request is at work. */
  async idle(): Promise<void> {
    await this.#last;
  }

  addCheckpoint(body: string): Promise<Answer> {
    const answer = this.#last.then(() => this.#judged(body));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #judged(body: string): Promise<Answer> {
    const { logKeys, store } = this.#options;
    const judgement = judge(body, logKeys, (origin) => store.latest(origin));
    try {
      if (judgement.kind === 'consistent') return await this.#cosign(judgement);
      if (judgement.kind === 'other-size') return { status: 409, type: SIZE, body: `${judgement.size}\n` };
      await this.#report(judgement, body);
      return { status: judgement.status, type: PLAIN, body: `${judgement.reason}\n` };
    } catch (error) {
      this.#options.log.event('witness-failed', `The state cannot be written: ${(error as Error).message}`, { error });
      return { status: 500, type: PLAIN, body: 'The checkpoint could not be kept, so it is not cosigned.\n' };
    }
  }

  async #cosign({ checkpoint, text, logLines }: Judgement & { kind: 'consistent' }): Promise<Answer> {
    const { key, nowS, store, log } = this.#options;
    const timeS = nowS();
    const line = signatureLine(text, key, timeS);
    await store.save({ ...checkpoint, note: formatNote(text, [...logLines, line]), timeS });
    log.sampled('witness-cosigned')?.(`Cosigned ${checkpoint.origin} at size ${checkpoint.size}`, {
      'tapeproof.origin': checkpoint.origin,
      'tapeproof.size': checkpoint.size,
    });
    return { status: 200, type: PLAIN, body: line };
  }

  async #report({ status, reason, origin, inconsistency }: Judgement & { kind: 'refused' }, body: string) {
    const { log, store } = this.#options;
    const fields = { 'http.response.status_code': status, 'tapeproof.origin': origin };
    if (origin !== undefined && inconsistency !== undefined) {
      if (await store.saveInconsistency(origin, inconsistency, body)) {
        log.event('witness-inconsistent', `${origin}: ${reason}`, { ...fields, 'event.reason': inconsistency });
        return;
      }
    }
    log.sampled('witness-refused')?.(reason, fields);
  }

  /** What the witness is and remembers. */
  get summary(): string {
    const { key, logKeys, store } = this.#options;
    const summary = {
      status: 'ok',
      service: 'witness',
      key: formatVerifierKey(key),
      serves: logKeys.map(({ name }) => name),
      logs: store.logs.map(({ origin, size, timeS }) => ({
        ...{ origin, size, cosigned: new Date(timeS * 1_000).toISOString() },
        inconsistencies: store.inconsistenciesOf(origin),
      })),
    };
    return `${JSON.stringify(summary)}\n`;
  }

  noteOf(originHash: string): string | undefined {
    return this.#options.store.noteOf(originHash);
  }
}

async function answer(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, type, body } = await answerTo(witness, request).catch((error: unknown): Answer => {
    const isOurs = error instanceof TapeproofError;
    return { status: isOurs ? 400 : 500, type: PLAIN, body: `${isOurs ? error.message : 'The request failed.'}\n` };
  });
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What was not read of a body would be taken for the next request.
    ...(request.complete ? {} : { connection: 'close' }),
    ...(status === 405 ? { allow: 'GET, HEAD, POST' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerTo(witness: Witness, request: IncomingMessage): Promise<Answer> {
  const [path = ''] = (request.url ?? '').split('?');
  if (request.method === 'POST') {
    if (path !== '/add-checkpoint') return { status: 404, type: PLAIN, body: 'Only /add-checkpoint takes requests.\n' };
    const bytes = await bodyOf(request);
    if (bytes === undefined) return { status: 413, type: PLAIN, body: 'The request is too long.\n' };
    return witness.addCheckpoint(textOfUtf8(bytes, 'the request'));
  }
  request.resume();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, type: PLAIN, body: 'Only GET, HEAD and POST.\n' };
  }
  if (path === '/') return { status: 200, type: 'application/json; charset=utf-8', body: witness.summary };
  const note = witness.noteOf(/^\/([0-9a-f]{64})\/checkpoint$/.exec(path)?.[1] ?? '');
  if (note !== undefined) return { status: 200, type: PLAIN, body: note };
  return { status: 404, type: PLAIN, body: 'Only / and /<SHA-256 of a cosigned origin>/checkpoint exist.\n' };
}

/** The whole body; undefined where it is too long. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ADD_CHECKPOINT_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
