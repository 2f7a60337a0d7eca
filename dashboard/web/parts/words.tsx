import type { DecisionStatus } from '../../contract/decisions.ts';
import type { LatestDecision } from '../../contract/instruments.ts';

type Direction = LatestDecision['direction'];

const SHAPES: Readonly<Record<Direction, string>> = {
  LONG: 'M5 1 9.5 9H.5Z',
  SHORT: 'M5 9 .5 1h9Z',
  NEUTRAL: 'M0 4h10v2H0Z',
};

/** A direction as a word with a shape, so that no colour is needed. */
export function DirectionWord({ direction }: { readonly direction: Direction }) {
  return (
    <span class="direction">
      <svg viewBox="0 0 10 10" aria-hidden="true">
        <path d={SHAPES[direction]} fill="currentColor" />
      </svg>
      {direction}
    </span>
  );
}

const VERDICTS: Readonly<
  Record<DecisionStatus, { readonly text: string; readonly style: string; readonly meaning: string }>
> = {
  HIT: { text: '✓ HIT', style: 'is-accent', meaning: 'the price moved that way' },
  MISS: { text: '✕ MISS', style: '', meaning: 'the price did not move that way' },
  VOID: { text: '○ VOID', style: '', meaning: 'no trade came in time to judge it by' },
  PENDING: { text: '… pending', style: '', meaning: 'its horizon is not over' },
  NONE: { text: '– none', style: '', meaning: 'a NEUTRAL decision has no outcome' },
};

/** Whether a forecast came true. */
export function VerdictBadge({ status }: { readonly status: DecisionStatus }) {
  const { text, style, meaning } = VERDICTS[status];
  return (
    <span class={`badge ${style}`} title={meaning}>
      {text}
    </span>
  );
}
