import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
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
  const described = jsonSchemaTransformObject(document) as OpenAPIV3_1.Document;
  const schemas = Object.entries(described.components?.schemas ?? {}).filter(([name]) => !name.endsWith('Input'));
  return { ...described, components: { ...described.components, schemas: Object.fromEntries(schemas) } };
}

/** OpenAPI 3.1 as JSON; the same for the same contract. */
export function openApiText(app: FastifyInstance): string {
  return `${JSON.stringify(app.swagger(), undefined, 2)}\n`;
}
