import { useState } from 'preact/hooks';
import type { AuditResponse } from '../../../contract/audit.ts';
import { useResource } from '../../api/resource.ts';
import { percentText } from '../../format/numbers.ts';
import { Answered, Failure, PageHead } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { VerdictBadge } from '../../parts/words.tsx';
import { PageLink } from '../../router.tsx';
import { isWitnessedBefore, summaryOf } from './audit-view.ts';
import { Chain } from './chain.tsx';
import { Checks } from './checks.tsx';
import { ProofCheck } from './proof-check.tsx';
import { Provenance } from './provenance.tsx';
import { Timeline } from './timeline.tsx';

/** One event: from its outcome to its trades, with the checks and what each rests on. */
export function AuditPage({ eventId }: { readonly eventId: string }) {
  /** How often it was asked to be derived again: once more after a failure. */
  const [attempts, setAttempts] = useState(0);
  const base = `/audit/${encodeURIComponent(eventId)}`;
  const walked = useResource<AuditResponse>(base);
  const derived = useResource<AuditResponse>(attempts === 0 ? undefined : `${base}?verify=true`, attempts);
  const shown = derived.value === undefined ? walked : { ...walked, value: derived.value };
  return (
    <div class="stack">
      <PageHead
        title={
          <>
            Audit of <span class="event-id">{eventId}</span>
          </>
        }
      >
        {shown.value === undefined ? undefined : <Subject audit={shown.value} />}
      </PageHead>
      <Answered resource={shown}>
        {(audit) => (
          <>
            <Verdict audit={audit} />
            <Chain audit={audit} />
            <Timeline audit={audit} />
            <section class="card" aria-label="Checks">
              <div class="card-head">
                <h2>Checks, and what each rests on</h2>
                <DeriveAgain
                  isUnderWay={attempts > 0 && derived.failure === undefined}
                  isDone={audit.isVerified}
                  onAsk={() => {
                    setAttempts(attempts + 1);
                  }}
                />
              </div>
              {derived.failure === undefined ? null : <Failure failure={derived.failure} />}
              <Checks audit={audit} />
            </section>
            <ProofCheck eventId={eventId} />
            <Provenance audit={audit} />
          </>
        )}
      </Answered>
    </div>
  );
}

function Subject({ audit: { snapshot } }: { readonly audit: AuditResponse }) {
  return (
    <>
      <PageLink to={{ page: 'instrument', instrument: snapshot.instrument }}>{snapshot.instrument}</PageLink> at{' '}
      <Time us={snapshot.timeUs} />
    </>
  );
}

function Verdict({ audit }: { readonly audit: AuditResponse }) {
  const { outcome, allPassed, checks, decision, results } = audit;
  const witnessed = isWitnessedBefore(audit);
  const passed = checks.filter((check) => check.passed).length;
  const direction = (decision ?? results[0])?.direction;
  const status = outcome?.verdict ?? (direction === 'NEUTRAL' || direction === undefined ? 'NONE' : 'PENDING');
  return (
    <section class={`card verdict ${allPassed ? '' : 'is-bad'}`} aria-label="Result">
      <div>
        <p class="verdict-line">{summaryOf(audit)}</p>
        <p class="muted">
          <VerdictBadge status={status} />{' '}
          <span class={`badge ${allPassed ? 'is-accent' : 'is-bad'}`}>
            {passed} of {checks.length} checks passed
          </span>{' '}
          {witnessed === undefined ? null : (
            <span class={`badge ${witnessed ? 'is-accent' : 'is-warn'}`}>
              {witnessed ? 'witnessed before its outcome' : 'not witnessed before its outcome'}
            </span>
          )}
        </p>
      </div>
      <Share probability={(decision ?? results[0])?.probability} />
    </section>
  );
}

function Share({ probability }: { readonly probability: number | undefined }) {
  const [report, setReport] = useState('');
  return (
    <div class="share">
      {probability === undefined ? null : <span class="verdict-share">{percentText(probability)}</span>}
      <button
        type="button"
        onClick={() => {
          navigator.clipboard.writeText(location.href).then(
            () => {
              setReport('Copied.');
            },
            () => {
              setReport('The browser refuses: copy it from the address bar.');
            },
          );
        }}
      >
        Copy the link
      </button>
      <span class="muted small" role="status">
        {report}
      </span>
    </div>
  );
}

function DeriveAgain({
  isUnderWay,
  isDone,
  onAsk,
}: {
  readonly isUnderWay: boolean;
  readonly isDone: boolean;
  readonly onAsk: () => void;
}) {
  if (isDone) return <span class="badge is-accent">derived again from the tape</span>;
  return (
    <button type="button" disabled={isUnderWay} onClick={onAsk}>
      {isUnderWay ? 'Deriving it again …' : 'Derive it again'}
    </button>
  );
}
