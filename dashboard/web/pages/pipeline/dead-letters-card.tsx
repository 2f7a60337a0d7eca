import type { DeadLetter, DeadLettersResponse } from '../../../contract/pipeline.ts';
import { useRefresh, useResource } from '../../api/resource.ts';
import { bytesText, countText } from '../../format/numbers.ts';
import { Pager, usePages } from '../../parts/pager.tsx';
import { Answered, Empty } from '../../parts/states.tsx';

const PAGE_SIZE = 5;
const REFRESH_MS = 15_000;

/** Records and rows that could not be used: the reason, the record itself, and what to do about it. */
export function DeadLettersCard() {
  const pages = usePages('');
  const resource = useResource<DeadLettersResponse>(
    `/dead-letters?limit=${PAGE_SIZE}${pages.query}`,
    useRefresh(REFRESH_MS),
  );
  return (
    <section class="card" aria-label="Dead letters">
      <div class="card-head">
        <h2>Dead letters</h2>
        <p>
          {resource.value === undefined ? '' : `${countText(resource.value.total)} in all; `}records and rows that could
          not be used, newest first
        </p>
      </div>
      <Answered resource={resource}>
        {({ deadLetters, nextCursor }) =>
          deadLetters.length === 0 ? (
            <Empty title="There are none" />
          ) : (
            <>
              <ul class="letters">
                {deadLetters.map((letter) => (
                  <Letter key={letter.deadLetterId} letter={letter} />
                ))}
              </ul>
              <Pager pages={pages} nextCursor={nextCursor} />
            </>
          )
        }
      </Answered>
    </section>
  );
}

function Letter({ letter }: { readonly letter: DeadLetter }) {
  const { source, reader, reason, detail, payloadText, payloadBase64, payloadBytes, payloadShownBytes, retryHint } =
    letter;
  const place =
    source.partition === null
      ? `${source.name}, ${source.position}`
      : `${source.name}-${source.partition} @ ${source.position}`;
  return (
    <li>
      <p>
        <span class="badge">{reason}</span> {detail}
        <span class="sub">
          {place}, refused by {reader}
        </span>
      </p>
      <p class="small">{retryHint}</p>
      <details>
        <summary>
          The record, {bytesText(payloadBytes)}
          {payloadShownBytes < payloadBytes ? `, of which the first ${bytesText(payloadShownBytes)}` : ''}
        </summary>
        <pre class="payload" tabIndex={0}>
          {payloadText ?? payloadBase64}
        </pre>
        <p class="muted small">
          {payloadText === null ? 'Not text, so in base64. ' : ''}SHA-256 <code>{letter.payloadHash}</code>
        </p>
      </details>
    </li>
  );
}
