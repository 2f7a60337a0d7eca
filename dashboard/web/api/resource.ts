import { useEffect, useState } from 'preact/hooks';
import { ApiFailure, answerOf } from './client.ts';
import { token } from './token.ts';

/** An answer as it is awaited: the last good one stays while another one is awaited or refused. */
export interface Resource<Answer> {
  readonly value: Answer | undefined;
  /** When the value arrived, by the viewer's clock; 0 before the first. */
  readonly arrivedMs: number;
  readonly failure: ApiFailure | undefined;
}

/**
 * The answer of a route, requested again whenever the path or `version` changes. A component of another subject (another
 * instrument, another event) needs another `key`, so that it does not begin with this one's answer.
 *
 * @param path after the prefix; undefined: nothing is requested
 */
export function useResource<Answer>(path: string | undefined, version = 0): Resource<Answer> {
  const [held, setHeld] = useState<Resource<Answer>>({ value: undefined, arrivedMs: 0, failure: undefined });
  const sentToken = token.value;
  useEffect(() => {
    if (path === undefined) return undefined;
    const abort = new AbortController();
    answerOf<Answer>(path, abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setHeld({ value, arrivedMs: Date.now(), failure: undefined });
      },
      (failure: unknown) => {
        if (!abort.signal.aborted) setHeld((last) => ({ ...last, failure: asFailure(failure) }));
      },
    );
    return () => {
      abort.abort();
    };
  }, [path, version, sentToken]);
  return held;
}

/** A number that grows at intervals, to request something again. */
export function useRefresh(everyMs: number): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      setVersion((last) => last + 1);
    }, everyMs);
    return () => {
      clearInterval(timer);
    };
  }, [everyMs]);
  return version;
}

function asFailure(failure: unknown): ApiFailure {
  if (failure instanceof ApiFailure) return failure;
  return new ApiFailure(0, 'The answer could not be read', String(failure));
}
