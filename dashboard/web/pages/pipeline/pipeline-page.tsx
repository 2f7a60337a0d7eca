import type { PipelineResponse } from '../../../contract/pipeline.ts';
import { useRefresh, useResource } from '../../api/resource.ts';
import { heartbeat } from '../../api/live.ts';
import { countOf, countText } from '../../format/numbers.ts';
import { Answered, Empty, PageHead, WarningSign } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { ActivationsCard } from './activations-card.tsx';
import { DeadLettersCard } from './dead-letters-card.tsx';
import { LagCard } from './lag-card.tsx';
import { Part } from './part.tsx';
import { RebuildsCard } from './rebuilds-card.tsx';

const REFRESH_MS = 5_000;

/** Whether the pipeline keeps up, and what it could not use. */
export function PipelinePage() {
  const resource = useResource<PipelineResponse>('/pipeline', useRefresh(REFRESH_MS));
  return (
    <div class="stack">
      <PageHead title="Pipeline">
        From the tape to the stores: who is behind, what was refused, what is in force.
      </PageHead>
      <Answered resource={resource}>
        {(pipeline) => (
          <>
            <Attention pipeline={pipeline} />
            <Services pipeline={pipeline} />
            <LagCard pipeline={pipeline} />
            <RebuildsCard rebuilds={pipeline.rebuilds} />
            <Ledger pipeline={pipeline} />
            <Gaps pipeline={pipeline} />
          </>
        )}
      </Answered>
      <DeadLettersCard />
      <ActivationsCard />
    </div>
  );
}

function Attention({ pipeline: { attention, asOfUs } }: { readonly pipeline: PipelineResponse }) {
  if (attention.length === 0) {
    return (
      <section class="card verdict" aria-label="State">
        <p class="verdict-line">Nothing needs attention.</p>
        <p class="muted small">
          as of <Time us={asOfUs} />
        </p>
      </section>
    );
  }
  return (
    <section aria-label="State">
      {attention.map((sentence) => (
        <div class="notice" key={sentence}>
          <WarningSign />
          <p>{sentence}</p>
        </div>
      ))}
    </section>
  );
}

function Services({ pipeline: { services, processes } }: { readonly pipeline: PipelineResponse }) {
  // The heartbeat is newer than the page's own answer.
  const latest = heartbeat.value?.services ?? services;
  return (
    <section class="card" aria-label="Services and processes">
      <div class="card-head">
        <h2>Services and processes</h2>
        <p>{heartbeat.value === undefined ? '' : `${countOf(heartbeat.value.viewers, 'viewer')} of this server`}</p>
      </div>
      <ul class="states">
        {latest.map(({ name, up, reason }) => (
          <State key={name} name={name} isGood={up} words={up ? 'up' : 'down'} detail={reason ?? ''} />
        ))}
        {processes.map(({ name, host, port, ready, detail, rebalances }) => (
          <State
            key={`${name} ${host} ${port}`}
            name={name}
            isGood={ready}
            words={ready ? 'ready' : 'not ready'}
            detail={[
              `${host}:${port}`,
              ...(detail === '' ? [] : [detail]),
              ...(rebalances === null ? [] : [`${countOf(rebalances, 'rebalance')} since it began`]),
            ].join(', ')}
          />
        ))}
      </ul>
    </section>
  );
}

function State({
  name,
  isGood,
  words,
  detail,
}: {
  readonly name: string;
  readonly isGood: boolean;
  readonly words: string;
  readonly detail: string;
}) {
  return (
    <li>
      <strong>{name}</strong> <span class={`badge ${isGood ? 'is-accent' : 'is-bad'}`}>{words}</span>
      <span class="sub">{detail}</span>
    </li>
  );
}

function Ledger({ pipeline: { ledger } }: { readonly pipeline: PipelineResponse }) {
  return (
    <Part name="Ledger of the projectors" part={ledger}>
      {(entries) =>
        entries.length === 0 ? (
          <Empty title="No projector has read anything yet" />
        ) : (
          <>
            <div class="scroll" tabIndex={0} role="region" aria-label="Ledger">
              <table>
                <caption>Records that each projector read, by what became of them</caption>
                <thead>
                  <tr>
                    <th scope="col">Projector</th>
                    <th scope="col">Topic</th>
                    {['Read', 'Applied', 'Repeated', 'Conflict', 'Dead letter', 'Not its own'].map((name) => (
                      <th key={name} scope="col" class="number">
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {entries.map(({ projector, topic, partition, read, applied, duplicate, conflict, dead, ignored }) => (
                    <tr key={`${projector} ${topic} ${partition}`}>
                      <th scope="row">{projector}</th>
                      <td>
                        {topic}-{partition}
                      </td>
                      {[read, applied, duplicate, conflict, dead, ignored].map((count, index) => (
                        <td key={index} class="number">
                          {countText(count)}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )
      }
    </Part>
  );
}

function Gaps({ pipeline: { gaps } }: { readonly pipeline: PipelineResponse }) {
  return (
    <Part name="Gaps: trades that happened and are not on the tape" part={gaps}>
      {({ gaps: count, missingTrades, newest }) =>
        count === 0 ? (
          <Empty title="There are none" />
        ) : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Gaps">
            <table>
              <caption>
                {countOf(count, 'gap')}, {countOf(missingTrades, 'trade')}; the newest ones
              </caption>
              <thead>
                <tr>
                  <th scope="col">Instrument</th>
                  <th scope="col">Until</th>
                  <th scope="col" class="number">
                    Trades
                  </th>
                  <th scope="col">Reason</th>
                  <th scope="col">On the tape</th>
                </tr>
              </thead>
              <tbody>
                {newest.map((gap) => (
                  <tr key={`${gap.partition} ${gap.offset}`}>
                    <th scope="row">{gap.instrument}</th>
                    <td>
                      <Time us={gap.toUs} />
                    </td>
                    <td class="number">{countText(gap.missingTrades)}</td>
                    <td>{gap.reason}</td>
                    <td class="mono">
                      {gap.partition} @ {gap.offset}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Part>
  );
}
