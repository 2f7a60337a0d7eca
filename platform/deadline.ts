/** Settles as `work` does, or rejects with `onTimeout()` after `deadlineMs`. The work itself is not stopped. */
export function withDeadline<T>(work: Promise<T>, deadlineMs: number, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(onTimeout());
    }, deadlineMs);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}

/** Settles as `work` does, or with undefined when the signal comes first. The work itself is not stopped. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      resolve(undefined);
    };
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}

/** Settles as `work` does, or rejects with `onTimeout()` `graceMs` after the signal. The work itself is not stopped. */
export async function withGrace<T>(
  work: Promise<T>,
  signal: AbortSignal,
  graceMs: number,
  onTimeout: () => Error,
): Promise<T> {
  const ended = work.then(() => undefined);
  await unlessAborted(ended, signal);
  return await (signal.aborted ? withDeadline(work, graceMs, onTimeout) : work);
}

/** Settles as `opening` does, or with undefined when the signal comes first: what opens after that is closed again. */
export async function openUnlessAborted<T>(
  opening: Promise<T>,
  signal: AbortSignal,
  close: (late: T) => unknown,
): Promise<T | undefined> {
  const opened = await unlessAborted(opening, signal);
  if (opened === undefined) opening.then(close).catch(() => undefined);
  return opened;
}
