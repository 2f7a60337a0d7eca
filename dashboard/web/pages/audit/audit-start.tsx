import { Empty, PageHead } from '../../parts/states.tsx';
import { textOf } from '../../parts/form-text.ts';
import { goTo, PageLink } from '../../router.tsx';
import { ProofCheck } from './proof-check.tsx';

/** Where no event is named: ask for its id, or check a proof that somebody sent. */
export function AuditStart() {
  return (
    <div class="stack">
      <PageHead title="Audit">
        Walks a forecast back to its trades, straight from the log, and checks each link on the way.
      </PageHead>
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          const eventId = textOf(new FormData(event.currentTarget), 'event-id').trim();
          if (eventId !== '') goTo({ page: 'audit', eventId });
        }}
      >
        <label for="event-id">Event id, such as decision-3-18540-0</label>
        <div class="toolbar is-form">
          <input
            id="event-id"
            name="event-id"
            type="text"
            class="mono"
            autocomplete="off"
            spellcheck={false}
            required
          />
          <button class="primary" type="submit">
            Audit
          </button>
        </div>
        <Empty title="No id at hand?">
          Each decision on an <PageLink to={{ page: 'live' }}>instrument’s page</PageLink> leads to its audit.
        </Empty>
      </form>
      <ProofCheck eventId={undefined} />
    </div>
  );
}
