import type { EngineActivated } from '../contracts/generated/events.ts';
import type { Log } from '../platform/log.ts';
import { ENGINE_VERSION } from './configuration.ts';
import type { PartitionTask } from './partition-task.ts';

/**
 * Says that another engine version has to go on here.
 *
 * @param isOurs - whether what was in force up to here is of this version.
 */
export function reportHandOver(log: Log, task: PartitionTask, foreign: EngineActivated, isOurs: boolean): void {
  const { partition, nextOffset } = task;
  log.event(
    'hand-over-awaited',
    isOurs
      ? `Partition ${partition} waits at offset ${nextOffset}: engine version ${foreign.engineVersion} is in force from here on, and this is ${ENGINE_VERSION}: stop this engine and start that one`
      : `Partition ${partition} waits: engine version ${foreign.engineVersion} is in force at offset ${nextOffset}, and this is ${ENGINE_VERSION}: run "npx tapeproof activate" with this version, and let the other engine reach that place`,
    {
      'tapeproof.tape.partition': partition,
      'tapeproof.tape.offset': nextOffset,
      'tapeproof.engine_version': foreign.engineVersion,
    },
  );
}
