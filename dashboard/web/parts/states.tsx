import type { ComponentChildren } from 'preact';
import type { ApiFailure } from '../api/client.ts';
import { rememberToken } from '../api/token.ts';
import type { Resource } from '../api/resource.ts';
import { textOf } from './form-text.ts';
import { Age } from './time.tsx';

/** The head of a page, with the promise that stands on each of them. */
export function PageHead({
  title,
  children,
}: {
  readonly title: ComponentChildren;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="page-head">
      <div>
        <h1>{title}</h1>
        {children === undefined ? null : <p>{children}</p>}
      </div>
      <div class="promise">Probabilities, not predictions or advice</div>
    </div>
  );
}

export function WarningSign() {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true">
      <path d="M10 3 18 17H2Z" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round" />
      <path d="M10 8v4M10 14.2v.3" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" />
    </svg>
  );
}

const UNAUTHORIZED = 401;

/** Why something cannot be shown, in the server's words, with the age of what is shown instead. */
export function Failure({ failure, shownSinceMs }: { readonly failure: ApiFailure; readonly shownSinceMs?: number }) {
  if (failure.status === UNAUTHORIZED) return <TokenForm />;
  return (
    <div class="notice is-bad" role="alert">
      <WarningSign />
      <p>
        <strong>{failure.title}.</strong> {failure.message}
      </p>
      {shownSinceMs === undefined || shownSinceMs === 0 ? null : (
        <p>
          What is shown below is <Age sinceMs={shownSinceMs} /> old.
        </p>
      )}
    </div>
  );
}

function TokenForm() {
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        rememberToken(textOf(new FormData(event.currentTarget), 'token'));
      }}
    >
      <label for="token">This server asks for a token. Its operator has it.</label>
      <div class="toolbar">
        <input id="token" name="token" type="password" autocomplete="off" required />
        <button class="primary" type="submit">
          Continue
        </button>
      </div>
    </form>
  );
}

export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

/** Shows an answer, or that it is awaited, or why there is none. */
export function Answered<Answer>({
  resource,
  children,
}: {
  readonly resource: Resource<Answer>;
  readonly children: (value: Answer) => ComponentChildren;
}) {
  const { value, arrivedMs, failure } = resource;
  return (
    <>
      {failure === undefined ? null : <Failure failure={failure} shownSinceMs={arrivedMs} />}
      {value === undefined ? failure === undefined ? <p class="empty">Loading …</p> : null : children(value)}
    </>
  );
}
