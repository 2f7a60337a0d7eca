import type { AuditResponse } from '../../../contract/audit.ts';
import { Time } from '../../parts/time.tsx';
import { momentsOf, type Moment } from './audit-view.ts';

/** Who knew what, when, and by whose clock. */
export function Timeline({ audit }: { readonly audit: AuditResponse }) {
  const { checkpointed } = audit.provenance;
  const moments = momentsOf(audit);
  return (
    <section class="card" aria-label="Times">
      <div class="card-head">
        <h2>When, and by whose clock</h2>
        <p>A filled mark is a time that does not come from whoever published the forecast.</p>
      </div>
      <div class="columns">
        <Moments title="In the market" moments={moments.filter(({ isMarket }) => isMarket)} />
        <Moments title="Here and at the witnesses" moments={moments.filter(({ isMarket }) => !isMarket)} />
      </div>
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

function Moments({ title, moments }: { readonly title: string; readonly moments: readonly Moment[] }) {
  return (
    <div>
      <h3>{title}</h3>
      <ol class="timeline">
        {moments.map(({ timeMs, what, clock, isIndependent }) => (
          <li key={`${timeMs} ${what}`} class={isIndependent ? 'is-independent' : ''}>
            <Time us={timeMs * 1_000} />
            <div>
              {what}
              <span class="sub">by {clock}</span>
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}
