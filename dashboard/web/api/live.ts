import { batch, signal } from '@preact/signals';
import { EventSource } from 'eventsource';
import type { InstrumentsEvent, PipelineEvent } from '../../contract/events.ts';
import type { InstrumentsResponse } from '../../contract/instruments.ts';
import { ApiFailure, answerOf, API_PREFIX, authorization } from './client.ts';
import { afterEvent, fromAnswer, type LiveInstruments } from './live-instruments.ts';
import { token } from './token.ts';

/** The server sends something every few seconds; after this silence the connection is half-open, and is replaced. */
const SILENCE_MS_MAX = 20_000;
const WATCH_EVERY_MS = 1_000;

/** Whether events arrive, and since when they do or do not. */
export interface Connection {
  readonly state: 'connecting' | 'open' | 'lost';
  /** When the last event arrived, by the viewer's clock; 0 before the first. */
  readonly lastEventMs: number;
}

export const connection = signal<Connection>({ state: 'connecting', lastEventMs: 0 });
/** Undefined until the first answer or event. */
export const instruments = signal<LiveInstruments | undefined>(undefined);
/** Why the full list could not be had, beside which events may still arrive. */
export const listFailure = signal<ApiFailure | undefined>(undefined);
export const heartbeat = signal<PipelineEvent | undefined>(undefined);

/** Subscribes to the server's events, for as long as the page is open, and again with another token. */
export function startLive(): void {
  let source: EventSource | undefined;
  let openedMs = 0;
  const open = (): void => {
    source?.close();
    openedMs = Date.now();
    source = subscribed();
  };
  token.subscribe(open);
  setInterval(() => {
    const { lastEventMs } = connection.peek();
    if (Date.now() - Math.max(lastEventMs, openedMs) <= SILENCE_MS_MAX) return;
    lost();
    open();
  }, WATCH_EVERY_MS);
}

/** Requests all instruments: events have no sparklines. */
export async function loadInstruments(signalToAbort: AbortSignal): Promise<void> {
  try {
    const answer = await answerOf<InstrumentsResponse>('/instruments', signalToAbort);
    batch(() => {
      instruments.value = fromAnswer(answer, Date.now());
      listFailure.value = undefined;
    });
  } catch (error) {
    if (!signalToAbort.aborted && error instanceof ApiFailure) listFailure.value = error;
  }
}

/** The package's `EventSource`, because the browser's cannot send a token. */
function subscribed(): EventSource {
  const source = new EventSource(`${API_PREFIX}/events`, {
    fetch: (url, init) =>
      fetch(url, { ...init, headers: { ...init.headers, ...authorization() }, credentials: 'omit' }),
  });
  source.addEventListener('open', arrived);
  source.addEventListener('error', lost);
  source.addEventListener('instruments', ({ data }) => {
    const event = JSON.parse(data as string) as InstrumentsEvent;
    batch(() => {
      arrived();
      instruments.value = afterEvent(instruments.peek() ?? new Map(), event, Date.now());
    });
  });
  source.addEventListener('pipeline', ({ data }) => {
    batch(() => {
      arrived();
      heartbeat.value = JSON.parse(data as string) as PipelineEvent;
    });
  });
  return source;
}

function arrived(): void {
  connection.value = { state: 'open', lastEventMs: Date.now() };
}

function lost(): void {
  connection.value = { state: 'lost', lastEventMs: connection.peek().lastEventMs };
}
