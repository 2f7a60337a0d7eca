import type { Activation, ActivationsResponse } from '../../../contract/pipeline.ts';
import { useRefresh, useResource } from '../../api/resource.ts';
import { countOf } from '../../format/numbers.ts';
import { Answered, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';

const REFRESH_MS = 30_000;

/** Who put what in force, when and why. */
export function ActivationsCard() {
  const resource = useResource<ActivationsResponse>('/activations', useRefresh(REFRESH_MS));
  return (
    <section class="card" aria-label="Activations">
      <div class="card-head">
        <h2>Activations</h2>
        <p>Who put which engine and configuration in force, when and why</p>
      </div>
      <Answered resource={resource}>
        {({ activations }) =>
          activations.length === 0 ? (
            <Empty title="Nothing is in force yet">
              <code>tapeproof activate --reason TEXT</code> puts an engine and a configuration in force.
            </Empty>
          ) : (
            <ul class="letters">
              {activations.map((activation) => (
                <Entry key={activation.activationId} activation={activation} />
              ))}
            </ul>
          )
        }
      </Answered>
    </section>
  );
}

function Entry({ activation }: { readonly activation: Activation }) {
  const { at, engineVersion, gitCommit, configHash, actor, reason, approver, changes, missingIn, revokedBy, fault } =
    activation;
  return (
    <li>
      <p>
        <strong>{reason ?? 'No reason was recorded'}</strong>
        <span class="sub">
          <Time us={Date.parse(at) * 1_000} />, by {actor ?? 'nobody named'}
          {approver === null ? '' : `, approved by ${approver}`}
        </span>
      </p>
      <p class="small muted">
        engine {engineVersion}, configuration <code>{configHash.slice(0, 12)}</code>, commit{' '}
        <code>{gitCommit.slice(0, 12)}</code>
      </p>
      {fault === null ? null : <p class="badge is-bad">{fault}</p>}
      {revokedBy === null ? null : <p class="badge is-warn">revoked by {revokedBy}</p>}
      {missingIn.length === 0 ? null : <p class="badge is-warn">missing in partitions {missingIn.join(', ')}</p>}
      {changes === null || changes.length === 0 ? null : (
        <details>
          <summary>{countOf(changes.length, 'key')} changed</summary>
          <dl class="facts">
            {changes.map(({ key, from, to }) => (
              <div key={key}>
                <dt class="mono">{key}</dt>
                <dd class="mono">
                  {from ?? 'not set'} → {to ?? 'not set'}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}
