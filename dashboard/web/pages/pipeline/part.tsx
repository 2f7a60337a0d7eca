import type { ComponentChildren } from 'preact';
import { Empty } from '../../parts/states.tsx';

/** A part that may be missing, with the sentence that says why. */
export function Part<Value>({
  name,
  part,
  children,
}: {
  readonly name: string;
  readonly part: { readonly value: Value | null; readonly missing: string | null };
  readonly children: (value: Value) => ComponentChildren;
}) {
  return (
    <section class="card" aria-label={name}>
      <div class="card-head">
        <h2>{name}</h2>
      </div>
      {part.value === null ? <Empty title="Not known now">{part.missing}</Empty> : children(part.value)}
    </section>
  );
}
