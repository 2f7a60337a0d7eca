import type { AuditResponse } from '../../../contract/audit.ts';

/** The checks of an audit with their results, and what was not checked. */
export function Checks({ audit: { checks, notChecked, notDerived, amendedSince } }: { readonly audit: AuditResponse }) {
  const amendments = Object.entries(amendedSince.counts).filter(([, count]) => count > 0);
  return (
    <>
      <ol class="checks">
        {checks.map(({ name, passed, detail, restsOn }) => (
          <li key={name} class={passed ? '' : 'is-failed'}>
            <span class="mark" aria-hidden="true">
              {passed ? '✓' : '✕'}
            </span>
            <div>
              <strong>
                <span class="visually-hidden">{passed ? 'passed: ' : 'failed: '}</span>
                {name}
              </strong>
              <p>{detail}</p>
              <p class="muted small">Rests on {restsOn}.</p>
            </div>
          </li>
        ))}
      </ol>
      {amendments.length === 0 ? null : (
        <p class="notice">
          Since then, trades behind it were amended: {amendments.map(([kind, count]) => `${count} ${kind}`).join(', ')}.
        </p>
      )}
      <h3>Not checked</h3>
      <ul class="plain">
        {notDerived.map(({ engineVersion, eventIds }) => (
          <li key={engineVersion}>
            that {eventIds.join(', ')} of engine {engineVersion} are derived again: this build is of another version
          </li>
        ))}
        {notChecked.map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
    </>
  );
}
