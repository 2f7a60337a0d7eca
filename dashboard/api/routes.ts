import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
// Their schemas are among those of the description.
import '../contract/events.ts';
import { problem } from '../contract/problem.ts';
import { EVENTS_PATH, OPENAPI_PATH, PROOF_PATH, ROUTES, type Route, type RouteName } from '../contract/routes.ts';
import { eventParams, noQuery } from '../contract/values.ts';
import { answersFrom, type AnswerSettings, type RouteInput } from './answers.ts';
import { openApiText } from './description.ts';
import { ApiProblem } from './problems.ts';
import type { LiveFeed, Viewer } from './live-feed.ts';

const EVENT_STREAM = /(?:^|,)\s*(?:text\/event-stream|text\/\*|\*\/\*)/i;

const REFUSED = {
  description: 'why the request is refused',
  content: { 'application/problem+json': { schema: problem } },
} as const;

/** Adds the routes of the contract, the proof, the stream and the description of them all. */
export function addRoutes(app: FastifyInstance, settings: AnswerSettings, feed: LiveFeed): void {
  const answers = answersFrom(settings);
  for (const [name, route] of Object.entries(ROUTES) as [RouteName, Route][]) {
    const answer = answers[name] as (input: RouteInput<RouteName>) => Promise<unknown>;
    app.get(
      route.path,
      {
        schema: {
          operationId: name,
          summary: route.summary,
          ...(route.params === undefined ? {} : { params: route.params }),
          querystring: route.query,
          response: { 200: route.response, default: REFUSED },
        },
      },
      (request) => answer({ params: request.params, query: request.query } as RouteInput<RouteName>),
    );
  }
  addProof(app, settings);
  addEvents(app, feed);
  app.get(OPENAPI_PATH, { schema: { hide: true, querystring: noQuery } }, async (_request, reply) => {
    await reply.type('application/json').send(openApiText(app));
  });
}

function addProof(app: FastifyInstance, { models }: AnswerSettings): void {
  const text = z.string().describe('a .tlog-proof file, for "tapeproof verify-proof"');
  app.get(
    PROOF_PATH,
    {
      schema: {
        operationId: 'proof',
        summary: 'The proof that a signed checkpoint has an event',
        params: eventParams,
        querystring: noQuery,
        response: {
          200: { description: 'the proof', content: { 'text/plain': { schema: text } } },
          default: REFUSED,
        },
      },
    },
    async (request, reply) => {
      const { eventId } = request.params as z.infer<typeof eventParams>;
      const proof = await models.log.proof(eventId);
      await reply
        .type('text/plain; charset=utf-8')
        .header('content-disposition', `attachment; filename="${eventId}.tlog-proof"`)
        .send(proof);
    },
  );
}

function addEvents(app: FastifyInstance, feed: LiveFeed): void {
  const stream = z
    .string()
    .describe('events "instruments" and "pipeline"; their data are InstrumentsEvent and PipelineEvent, as JSON');
  app.get(
    EVENTS_PATH,
    {
      sse: 'manual',
      exposeHeadRoute: false,
      schema: {
        operationId: 'events',
        summary: 'Changes as server-sent events; Last-Event-ID resumes',
        querystring: noQuery,
        response: {
          200: { description: 'the stream', content: { 'text/event-stream': { schema: stream } } },
          default: REFUSED,
        },
      },
    },
    async (request, reply) => {
      await openStream(request, reply, feed);
    },
  );
}

async function openStream(request: FastifyRequest, reply: FastifyReply, feed: LiveFeed): Promise<void> {
  if (!EVENT_STREAM.test(request.headers.accept ?? '*/*')) {
    throw new ApiProblem('NOT_ACCEPTABLE', 'This address answers with text/event-stream only: accept it.');
  }
  feed.assertRoom();
  const { raw, sse } = reply;
  const viewer: Viewer = {
    write: (bytes) => raw.write(bytes),
    get backlogBytes() {
      return raw.writableLength;
    },
    cut: () => {
      raw.destroy();
    },
  };
  const lastEventId = request.headers['last-event-id'];
  sse.keepAlive();
  sse.onClose(() => {
    feed.leave(viewer);
  });
  sse.sendHeaders();
  // A viewer that missed nothing gets its first event only with the next change.
  raw.flushHeaders();
  await feed.open(viewer, typeof lastEventId === 'string' ? lastEventId : undefined);
  // It may have gone while the feed looked.
  if (raw.destroyed) feed.leave(viewer);
}
