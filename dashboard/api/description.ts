import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import packageJson from '../../package.json' with { type: 'json' };

/** Before the routes that are to be in it. */
export async function addDescription(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tapeproof, read only',
        version: packageJson.version,
        description: 'Probabilities, not predictions or advice. GET only; anything unknown in a query is refused.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{}, { token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: answersOnly,
  });
}

/** Each schema is described for requests too, and no request has one of them. */
function answersOnly(document: Parameters<typeof jsonSchemaTransformObject>[0]) {
  const described = jsonSchemaTransformObject(document);
  if (!('components' in described)) return described;
  const { schemas } = described.components ?? {};
  for (const name of Object.keys(schemas ?? {})) if (name.endsWith('Input')) delete schemas?.[name];
  return described;
}

/** OpenAPI 3.1 as JSON; the same for the same contract. */
export function openApiText(app: FastifyInstance): string {
  return `${JSON.stringify(app.swagger(), undefined, 2)}\n`;
}
