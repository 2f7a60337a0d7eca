/** Requests the next item while the current one is used: the broker works meanwhile. One item ahead, no more. */
export async function* readAhead<Item>(
  source: AsyncGenerator<Item, void, undefined>,
): AsyncGenerator<Item, void, undefined> {
  let next = requested(source);
  try {
    while (true) {
      const { done, value } = await next;
      if (done === true) return;
      next = requested(source);
      yield value;
    }
  } finally {
    await source.return();
  }
}

/** Nobody may be waiting for it when it fails: whoever asks for it later gets the error. */
function requested<Item>(source: AsyncGenerator<Item, void, undefined>): Promise<IteratorResult<Item, void>> {
  const next = source.next();
  next.catch(() => undefined);
  return next;
}
