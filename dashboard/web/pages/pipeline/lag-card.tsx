import type { PipelineResponse } from '../../../contract/pipeline.ts';
import { countText } from '../../format/numbers.ts';
import { Empty } from '../../parts/states.tsx';
import { groupLags, isRebalancing, marketSecondsText, rateText, type GroupLag } from './pipeline-view.ts';
import { Part } from './part.tsx';

/** How far each consumer group is behind, in records and seconds of market time, and how quickly it reads. */
export function LagCard({
  pipeline: { lag, groups: states, tapeRecordsPerSecond },
}: {
  readonly pipeline: PipelineResponse;
}) {
  return (
    <Part name="Lag and throughput" part={lag}>
      {(partitions) => {
        const groups = groupLags(partitions);
        if (groups.length === 0)
          return (
            <Empty title="There are no consumer groups yet">They appear with the engine and the projectors.</Empty>
          );
        return (
          <>
            <p class="muted small">
              Records appended to the tape: {rateText(tapeRecordsPerSecond)}. Rates are of the last minute at most.
            </p>
            <GroupTable groups={groups} states={states.value ?? []} />
            <details class="data-table">
              <summary>By partition</summary>
              <PartitionTable groups={groups} />
            </details>
          </>
        );
      }}
    </Part>
  );
}

function GroupTable({
  groups,
  states,
}: {
  readonly groups: readonly GroupLag[];
  readonly states: NonNullable<PipelineResponse['groups']['value']>;
}) {
  const stateOf = (group: string) => states.find((state) => state.group === group);
  const most = Math.max(1, ...groups.map(({ records }) => records));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Lag by consumer group">
      <table class="stacks">
        <thead>
          <tr>
            <th scope="col">Consumer group</th>
            <th scope="col" class="number">
              Records behind
            </th>
            <th scope="col">
              <span class="visually-hidden">as a bar</span>
            </th>
            <th scope="col" class="number">
              Market time behind
            </th>
            <th scope="col" class="number">
              Reads
            </th>
            <th scope="col" class="number">
              Processes
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ group, records, marketSeconds, members }) => (
            <tr key={group}>
              <th scope="row">
                {group}
                {isRebalancing(stateOf(group)?.state ?? '') ? (
                  <>
                    {' '}
                    <span class="badge is-warn">rebalancing</span>
                  </>
                ) : null}
              </th>
              <td class="number" data-label="Records behind">
                {countText(records)}
              </td>
              <td class="not-on-phone">
                <meter class="lag" min={0} max={most} value={records} aria-label={`Records that ${group} is behind`} />
              </td>
              <td class="number" data-label="Market time behind">
                {marketSecondsText(marketSeconds)}
              </td>
              <td class="number" data-label="Reads">
                {rateText(stateOf(group)?.recordsPerSecond ?? null)}
              </td>
              <td class="number" data-label="Processes">
                {members === 0 ? <span class="badge is-warn">none</span> : countText(members)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function PartitionTable({ groups }: { readonly groups: readonly GroupLag[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Lag by partition">
      <table>
        <thead>
          <tr>
            <th scope="col">Consumer group</th>
            <th scope="col">Partition</th>
            <th scope="col" class="number">
              Records behind
            </th>
            <th scope="col" class="number">
              Market time behind
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.flatMap(({ group, partitions }) =>
            partitions.map(({ topic, partition, records, marketSeconds }) => (
              <tr key={`${group} ${topic} ${partition}`}>
                <th scope="row">{group}</th>
                <td>
                  {topic}-{partition}
                </td>
                <td class="number">{countText(records)}</td>
                <td class="number">{marketSecondsText(marketSeconds)}</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}
