import { useState } from 'preact/hooks';
import type { Decision, DecisionsResponse } from '../../../contract/decisions.ts';
import { useResource } from '../../api/resource.ts';
import { percentText, priceText, signedText } from '../../format/numbers.ts';
import { durationText } from '../../format/times.ts';
import { Pager, usePages } from '../../parts/pager.tsx';
import { Answered, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { DirectionWord, VerdictBadge } from '../../parts/words.tsx';
import { PageLink } from '../../router.tsx';

const PAGE_SIZE = 25;
const STATUSES = ['HIT', 'MISS', 'VOID', 'PENDING', 'NONE'] as const;
const DIRECTIONS = ['LONG', 'SHORT', 'NEUTRAL'] as const;

interface ListProps {
  /** The instrument's routes. */
  readonly base: string;
  readonly version: number;
  /** The decision that is pointed at, so that the chart shows it. */
  readonly chosenId: string | undefined;
  readonly onChoose: (decisionId: string | undefined) => void;
}

/** Decisions with their outcomes, newest first; each leads to its audit. */
export function DecisionList({ base, version, chosenId, onChoose }: ListProps) {
  const [status, setStatus] = useState('');
  const [direction, setDirection] = useState('');
  const filters = [
    ...(status === '' ? [] : [`&status=${status}`]),
    ...(direction === '' ? [] : [`&direction=${direction}`]),
  ];
  const filter = filters.join('');
  const pages = usePages(filter);
  const page = useResource<DecisionsResponse>(`${base}/decisions?limit=${PAGE_SIZE}${filter}${pages.query}`, version);
  return (
    <section class="card" aria-label="Decisions">
      <div class="card-head">
        <h2>Decisions</h2>
        <div class="toolbar">
          <Choice name="Outcome" options={STATUSES} value={status} onChoose={setStatus} />
          <Choice name="Direction" options={DIRECTIONS} value={direction} onChoose={setDirection} />
        </div>
      </div>
      <Answered resource={page}>
        {({ decisions, nextCursor }) => (
          <>
            {decisions.length === 0 ? (
              <Empty title="There are no such decisions">
                They appear with the next snapshot, or choose another filter.
              </Empty>
            ) : (
              <DecisionTable decisions={decisions} chosenId={chosenId} onChoose={onChoose} />
            )}
            <Pager pages={pages} nextCursor={nextCursor} />
          </>
        )}
      </Answered>
    </section>
  );
}

function Choice({
  name,
  options,
  value,
  onChoose,
}: {
  readonly name: string;
  readonly options: readonly string[];
  readonly value: string;
  readonly onChoose: (value: string) => void;
}) {
  const id = `choose-${name.toLowerCase()}`;
  return (
    <div>
      <label for={id}>{name}</label>
      <select
        id={id}
        value={value}
        onChange={(event) => {
          onChoose(event.currentTarget.value);
        }}
      >
        <option value="">all</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </div>
  );
}

function DecisionTable({
  decisions,
  chosenId,
  onChoose,
}: Pick<ListProps, 'chosenId' | 'onChoose'> & { readonly decisions: readonly Decision[] }) {
  return (
    <div class="scroll">
      <table class="stacks is-dense">
        <caption class="visually-hidden">Decisions with their outcomes, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Direction</th>
            {['Probability', 'Raw', 'Reference', 'Confidence', 'Price', 'Horizon'].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
            <th scope="col">Outcome</th>
            <th scope="col" class="number">
              Move
            </th>
          </tr>
        </thead>
        <tbody>
          {decisions.map((decision) => (
            <DecisionRow
              key={decision.decisionId}
              {...{ decision, onChoose }}
              isChosen={decision.decisionId === chosenId}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function DecisionRow({
  decision,
  isChosen,
  onChoose,
}: Pick<ListProps, 'onChoose'> & { readonly decision: Decision; readonly isChosen: boolean }) {
  const { decisionId, timeUs, direction, status, probability, rawProbability, referenceRate, confidence } = decision;
  const choose = (): void => {
    onChoose(decisionId);
  };
  const leave = (): void => {
    onChoose(undefined);
  };
  return (
    <tr
      class={isChosen ? 'is-chosen' : ''}
      onMouseEnter={choose}
      onMouseLeave={leave}
      onFocusIn={choose}
      onFocusOut={leave}
    >
      <th scope="row">
        <PageLink to={{ page: 'audit', eventId: decisionId }}>
          <Time us={timeUs} />
          <span class="visually-hidden">: audit {decisionId}</span>
        </PageLink>
      </th>
      <td data-label="Direction">
        <DirectionWord direction={direction} />
      </td>
      <td class="number" data-label="Probability">
        <strong>{percentText(probability)}</strong>
      </td>
      <td class="number muted" data-label="Raw">
        {percentText(rawProbability)}
      </td>
      <td class="number muted" data-label="Reference">
        {percentText(referenceRate)}
      </td>
      <td class="number" data-label="Confidence">
        {confidence.toFixed(2)}
      </td>
      <td class="number" data-label="Price">
        {priceText(decision.referencePrice)}
      </td>
      <td class="number muted" data-label="Horizon">
        {durationText(decision.horizonMs)}
      </td>
      <td data-label="Outcome">
        <VerdictBadge status={status} />
      </td>
      <td class="number" data-label="Move">
        {decision.outcome?.moveBps === null || decision.outcome === null
          ? '–'
          : `${signedText(decision.outcome.moveBps, 1)} bp`}
      </td>
    </tr>
  );
}
