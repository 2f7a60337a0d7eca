import { existsSync } from 'node:fs';
import { join } from 'node:path';
import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { API_PREFIX } from '../contract/values.ts';
import { ApiProblem } from './problems.ts';

const INDEX = 'index.html';
/** The build names these files by their content. */
const NAMED_BY_CONTENT = /[\\/]assets[\\/]/;
const FOR_EVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';
const NOT_BUILT =
  'The web page is not built: run "npm run build:web", then start the dashboard again. The API is described at /openapi.json.\n';

/** Serves the built web page at `/`; where it is not built, `/` says so. Each view of the page has an address of its own. */
export async function addWebPage(app: FastifyInstance, folder: string): Promise<void> {
  const isBuilt = existsSync(join(folder, INDEX));
  if (isBuilt) {
    await app.register(staticFiles, {
      root: folder,
      wildcard: false,
      index: INDEX,
      cacheControl: false,
      setHeaders: (reply, path) => {
        reply.header('cache-control', NAMED_BY_CONTENT.test(path) ? FOR_EVER : ASK_AGAIN);
      },
    });
  } else {
    app.get('/', { schema: { hide: true } }, async (_request, reply) => {
      await reply.code(404).type('text/plain; charset=utf-8').send(NOT_BUILT);
    });
  }
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, async (request, reply) => {
    if (isBuilt && isView(request.url, request.headers.accept)) return await sendPage(reply);
    throw new ApiProblem('NOT_FOUND', 'There is nothing at this address: /openapi.json lists what there is.');
  });
}

/** A view of the page, which itself decides what to show there. */
function isView(url: string, accept: string | undefined): boolean {
  return !url.startsWith(API_PREFIX) && accept?.includes('text/html') === true;
}

async function sendPage(reply: FastifyReply): Promise<FastifyReply> {
  return await reply.header('cache-control', ASK_AGAIN).sendFile(INDEX);
}
