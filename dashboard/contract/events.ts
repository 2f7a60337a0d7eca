import { z } from 'zod';
import { instrumentState } from './instruments.ts';
import { serviceState } from './pipeline.ts';
import { count, timeUs } from './values.ts';

/**
 * The stream at /api/v1/events, as server-sent events. Each has an id; a browser sends the last one as `Last-Event-ID`
 * when it connects again, and gets what it missed. Where that is no longer known, and without one, the stream begins with
 * all instruments. So a client only ever merges by instrument.
 */

/** Event `instruments`: those that changed; the first one of a stream that does not resume has all. */
export const instrumentsEvent = z
  .strictObject({
    asOfUs: timeUs.describe("this server's clock"),
    isComplete: z.boolean().describe('true: these are all instruments; forget any other'),
    instruments: z.array(instrumentState),
  })
  .meta({ id: 'InstrumentsEvent' });

/** Event `pipeline`: a heartbeat, every few seconds. Ask /api/v1/pipeline for more. */
export const pipelineEvent = z
  .strictObject({
    asOfUs: timeUs.describe("this server's clock"),
    services: z.array(serviceState),
    viewers: count.describe('open streams of this server'),
  })
  .meta({ id: 'PipelineEvent' });

export const EVENT_NAMES = ['instruments', 'pipeline'] as const;

export type InstrumentsEvent = z.infer<typeof instrumentsEvent>;
export type PipelineEvent = z.infer<typeof pipelineEvent>;
