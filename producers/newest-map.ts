/**
 * A map of its newest entries: with one more than `max`, the oldest is forgotten. A plain `Map` or `Set` takes longer to find
 * its oldest the more were deleted before it, since V8 passes over their places each time: here the place is kept.
 */
export class NewestMap<Key, Value> extends Map<Key, Value> {
  readonly #max: number;
  #oldest: MapIterator<Key>;

  constructor(max: number) {
    super();
    this.#max = max;
    this.#oldest = this.keys();
  }

  override set(key: Key, value: Value): this {
    super.set(key, value);
    if (this.size > this.#max) this.delete(this.#oldest.next().value as Key);
    return this;
  }

  override clear(): void {
    super.clear();
    this.#oldest = this.keys();
  }
}
