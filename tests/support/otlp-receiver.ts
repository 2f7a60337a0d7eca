import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const Ids = z.object({ traceId: z.string(), spanId: z.string() });
const Attribute = z.object({
  key: z.string(),
  value: z.union([
    z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
    z.object({ intValue: z.coerce.number() }).transform(({ intValue }) => intValue),
    z.object({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
  ]),
});
const Attributes = z
  .array(Attribute)
  .default([])
  .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value])));
const ExportedSpan = Ids.extend({
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes: Attributes,
  links: z.array(Ids).default([]),
  status: z.object({ code: z.number().default(0), message: z.string().optional() }),
});
/** https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding, as far as it is used here. */
const ExportRequest = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(ExportedSpan) })),
    }),
  ),
});

export type ReceivedSpan = z.infer<typeof ExportedSpan> & { readonly service: string };

/** A collector: takes spans as OTLP/HTTP in JSON, on loopback. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** The headers of the last request. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The HTTP status of the answers; undefined for none at all. */
  status: number | undefined;
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    receiver.headers = request.headers;
    void text(request).then((body) => {
      if (receiver.status === undefined) return;
      if (receiver.status === 200) {
        for (const { resource, scopeSpans } of ExportRequest.parse(JSON.parse(body)).resourceSpans) {
          const service = String(resource.attributes['service.name']);
          for (const scope of scopeSpans) spans.push(...scope.spans.map((span) => ({ ...span, service })));
        }
      }
      response.writeHead(receiver.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  const receiver: OtlpReceiver & { url: string; headers: OtlpReceiver['headers'] } = {
    url: '',
    spans,
    headers: {},
    status: 200,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return receiver;
}
