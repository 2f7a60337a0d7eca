import type { PipelineResponse } from '../../../contract/pipeline.ts';
import { Empty } from '../../parts/states.tsx';
import { Part } from './part.tsx';
import { rebuildText } from './pipeline-view.ts';

/** Read models that are being built anew beside the live ones. */
export function RebuildsCard({ rebuilds }: { readonly rebuilds: PipelineResponse['rebuilds'] }) {
  return (
    <Part name="Rebuilds" part={rebuilds}>
      {(all) => {
        const underWay = all.flatMap(({ building, ...rest }) => (building === null ? [] : [{ ...rest, building }]));
        if (underWay.length === 0) {
          return (
            <Empty title="None is under way">
              <code>tapeproof projector rebuild NAME</code> reads everything again beside the live one, compares, and
              swaps.
            </Empty>
          );
        }
        return (
          <ul class="letters">
            {underWay.map(({ projector, liveGeneration, building }) => (
              <li key={projector}>
                <p>
                  <strong>{projector}</strong>, generation {building.generation} beside the live {liveGeneration}
                  <span class="sub">{rebuildText(building)}</span>
                </p>
                <progress
                  max={Math.max(1, building.recordsWanted)}
                  value={building.recordsDone}
                  aria-label={`Progress of the rebuild of ${projector}`}
                />
              </li>
            ))}
          </ul>
        );
      }}
    </Part>
  );
}
