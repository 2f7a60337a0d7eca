import type { AuditResponse } from '../../../contract/audit.ts';
import { Time } from '../../parts/time.tsx';
import { momentsOf } from './audit-view.ts';

/** Who knew what, when, and by whose clock. */
export function Timeline({ audit }: { readonly audit: AuditResponse }) {
  const { checkpointed } = audit.provenance;
  return (
    <section class="card" aria-label="Times">
      <div class="card-head">
        <h2>When, and by whose clock</h2>
        <p>A filled mark is a time that does not come from whoever published the forecast.</p>
      </div>
      <ol class="timeline">
        {momentsOf(audit).map(({ timeMs, what, clock, isIndependent }) => (
          <li key={`${timeMs} ${what}`} class={isIndependent ? 'is-independent' : ''}>
            <Time us={timeMs * 1_000} />
            <div>
              {what}
              <span class="sub">by {clock}</span>
            </div>
          </li>
        ))}
      </ol>
      {checkpointed === null ? (
        <p class="muted">
          No checkpoint has it yet: <code>tapeproof checkpoints run</code> signs the logs and has witnesses cosign them.
        </p>
      ) : (
        <p class="muted small">
          Leaf {checkpointed.index} of <code>{checkpointed.origin}</code>.
        </p>
      )}
    </section>
  );
}
