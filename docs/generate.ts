/**
 * Writes the generated pages and descriptions of docs/, and Kafka's table in docs/security.md, from their catalogues;
 * with --check only compares, and exits 1 on drift.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiText } from '../dashboard/api/description.ts';
import type { ReadModels } from '../dashboard/api/read-models.ts';
import { createDashboardServer } from '../dashboard/api/server.ts';
import { createLog } from '../platform/log.ts';
import { LOG_EVENT_FIELDS } from '../platform/log-event-fields.ts';
import { LOG_EVENTS, type LogAction, type LogEventDefinition, type LogSource } from '../platform/log-events.ts';
import { BASE_FIELDS, LOG_FIELDS, type FieldDefinition } from '../platform/log-field-catalogue.ts';
import { VARIABLES, type VariableDefinition } from '../platform/security/variables.ts';
import { TAPE_TOPIC, TOPICS } from '../contracts/topics.ts';
import { principalOf, ROLES, type Role } from '../stack/kafka-principals.ts';
import { isAllowed } from '../stack/kafka-rules.ts';
import { noTelemetry } from '../platform/telemetry.ts';
import { METRICS } from '../platform/metrics/catalogue.ts';
import type { MetricDefinition } from '../platform/metrics/definition.ts';
import { asyncApiText } from './reference/async-api.ts';
import { commandsPage } from './reference/commands.ts';
import { configurationPage } from './reference/configuration.ts';
import { eventsPage } from './reference/events.ts';
import { tableOf } from './reference/table.ts';
import { variablesPage } from './reference/variables.ts';

const PROCESSES: Readonly<Record<LogSource, string>> = {
  engine: 'engine',
  projector: 'projector',
  'ingest-live': 'live',
  checkpoints: 'checkpoints',
  dashboard: 'dashboard',
  witness: 'witness',
};
/** All that have metrics: the witness knows no service. */
const WITH_METRICS = Object.keys(PROCESSES).length - 1;

function processesOf(at: readonly LogSource[]): string {
  return at.length === WITH_METRICS ? 'all' : at.map((service) => PROCESSES[service]).join(', ');
}

function metricsPage(): string {
  const rows = Object.entries<MetricDefinition>(METRICS).map(([name, { type, labels, at, help }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    processesOf(at),
    help,
  ]);
  const buckets = Object.entries<MetricDefinition>(METRICS).flatMap(([name, { buckets: bounds }]) =>
    bounds === undefined ? [] : [[`\`${name}\``, bounds.join(', ')]],
  );
  return `# Metrics

<!-- Generated from platform/metrics/catalogue.ts by \`npm run generate\`. Do not edit. -->

Each long-running process answers in Prometheus' text format at \`/metrics\`, on a free port of 127.0.0.1 that it logs
(\`event.action\` \`http-listening\`), or at the address given by \`--http-port\` and \`--http-host\`, or \`TAPEPROOF_HTTP_PORT\`. Besides it:

- \`/health\`: 200 while the process is alive, 503 when it should be replaced: its consumer stopped permanently, or its
  event loop is blocked.
- \`/ready\`: 200 while it can do its work, 503 while a service that it needs does not answer, it is not yet in its
  group or not connected to its venue, it is stopping, or its work has no effect. The latter means: a partition has lag and
  nothing of it was committed for 20 seconds (\`progress\`), another engine version is in force (\`activation\`), or
  most records that it reads become dead letters (\`dead-letters\`). A long batch that makes progress counts as work.
  The failing check states what the process waits for.

They answer at an IP address and as \`localhost\`; under another host name, as in a scraper's configuration, only if
\`--http-names\` or \`TAPEPROOF_HTTP_NAMES\` lists it (else 421: a web page could point its own name here). Clients
that connect and send nothing lock nobody out: of 64 connections the oldest idle one makes room for a new one.

Both list their checks as JSON. Labels are bounded: no identities, and instruments only where the operator names them
(live ingestion) or where one of their trades was set aside (engine). \`process_*\` and \`nodejs_*\` (CPU, memory,
event loop, garbage collection, file descriptors) come from the Prometheus client. Counters begin at 0 with the
process. Each process reports the lag of its own partitions; old event times, such as those of a file of 2013, make the lag in seconds large.

${tableOf(['metric', 'type', 'labels', 'process', 'meaning'], rows)}

Upper bounds of the histograms, seconds:

${tableOf(['metric', 'buckets'], buckets)}

## Alerts

[alerts.md](alerts.md) lists them with what to do for each; [observability.md](observability.md) says where the rules, their
tests, Grafana's dashboards and a configuration of Prometheus are.
`;
}

function logsPage(): string {
  const rows = Object.entries<LogEventDefinition>(LOG_EVENTS).map(([action, { level, sampled, at, meaning }]) => [
    `\`${action}\``,
    level,
    sampled ? 'yes' : '',
    processesOf(at),
    meaning,
    LOG_EVENT_FIELDS[action as LogAction].map((name) => `\`${name === 'error' ? 'error.*' : name}\``).join(', '),
  ]);
  const fields = Object.entries<FieldDefinition>({ ...BASE_FIELDS, ...LOG_FIELDS }).map(([name, { type, meaning }]) => [
    `\`${name}\``,
    type,
    meaning,
  ]);
  return `# Log lines

<!-- Generated from platform/log-events.ts and log-field-catalogue.ts by \`npm run generate\`. Do not edit. -->

Logs go to standard error: one JSON object per line with the fields of the Elastic Common Schema, or text if standard
error is a terminal. \`TAPEPROOF_LOG_FORMAT\` (\`json\`, \`text\`) and \`TAPEPROOF_LOG_LEVEL\` (\`trace\`, \`debug\`, \`info\`, \`warn\`,
\`error\`, \`silent\`) override this.

Every line has \`@timestamp\`, \`log.level\`, \`message\`, \`service.name\`, \`process.pid\` and \`ecs.version\`. A
line of the kinds below has \`event.action\`. A line about a derived event has the event's identity in \`event.id\` and
its cause's place on the tape in \`tapeproof.tape.partition\` and \`tapeproof.tape.offset\`, and is written after Kafka
acknowledged the event. Errors are in \`error.*\`; all our other fields begin with \`tapeproof.\`. For a sampled kind
at most two lines a second are written; \`tapeproof.suppressed\` is the number left out since the previous line.

One event is one line, whatever its fields contain: control characters, line separators and bidirectional overrides are
escaped, long text is truncated, and no field can take another's name.

${tableOf(['event.action', 'level', 'sampled', 'process', 'meaning', 'fields'], rows)}

## Fields

What is unknown is left out of a line. The types are those of Elasticsearch: [observability.md](observability.md) has
an index template that refuses others, and how to get the lines there.

${tableOf(['field', 'type', 'meaning'], fields)}
`;
}

function connectionsPage(): string {
  const rows = Object.entries<VariableDefinition>(VARIABLES).map(([name, { secret, meaning }]) => [
    `\`${name}\`${secret === true ? ', `…_FILE`' : ''}`,
    meaning,
  ]);
  return `# Connections

<!-- Generated from platform/security/variables.ts by \`npm run generate\`. Do not edit. -->

Commands and processes find the services by these variables, else in the running local stack. If any variable of a
service is set, that service is configured by the environment alone: your own address is never combined with the local stack's certificates.

Where \`…_FILE\` follows a variable, its value may be in a file instead, as Docker and Kubernetes provide secrets: the
variable with the suffix \`_FILE\` names the file, and one newline at its end is removed. Setting both is refused.

${tableOf(['variable', 'meaning'], rows)}

- **Kafka.** Both clients get the same settings. Mutual TLS is \`SSL\` with a certificate and its key. A token from a
  file is read again at each connection and each time the broker asks for a newer one; one from
  \`TAPEPROOF_KAFKA_TOKEN_URL\` is kept until shortly before it expires. Sessions must last 8 seconds or more:
  neither \`connections.max.reauth.ms\` nor the lifetime of tokens may be shorter.
- **Registry.** User name and password, which may also be in the URL, or a bearer token.
- **Postgres.** \`sslmode\`, \`sslrootcert\`, \`sslcert\` and \`sslkey\` may be in the URL, as for libpq. \`verify-full\`
  verifies who signed the server's certificate and its host name; \`verify-ca\` and \`require\` who signed it, where libpq's
  \`require\` takes any certificate; \`no-verify\` encrypts but verifies nothing; \`disable\` uses plain text.
  \`prefer\` and \`allow\`, which silently fall back to plain text, are refused. Without a mode: \`verify-full\` where a certificate is set, else \`disable\`.
- **Redis.** \`rediss:\` verifies certificate and host name.

A refusal is one sentence and exit code 3: wrong password or token, a certificate of an unknown authority, for another
host name or expired, a certificate of this process that the server does not trust, or a missing access rule. A setting that is invalid in itself is one sentence and exit code 2. A
running process that is refused waits and retries, as in an outage, and gives the reason at \`/ready\`.

## Secrets

They are read from the environment or files, never from arguments, and reach no log, metric, error or output: all
output of the process is first searched for them, in plain form and in base64, JSON and URLs. A password of fewer than
6 characters, or one that equals its user name, cannot be distinguished from an everyday word and is not searched for.

## The local stack, secured

    npx tapeproof stack up --secure

[docs/security.md](security.md) lists who may do what there, and where its passwords are. Commands use it like any
local stack, each in its role; \`endpoints.json\` in the stack's folder has the variables above for each role, for your own processes.
`;
}

const ACCESS_BEGINS =
  '<!-- Generated from stack/kafka-rules.ts by `npm run generate`. Do not edit until the end mark. -->';
const ACCESS_ENDS = '<!-- End of the generated table. -->';

function accessTable(): string {
  const derived = TOPICS.map(({ name }) => name).filter((name) => name !== TAPE_TOPIC);
  const onAll = (role: Role, operation: 'CREATE' | 'DELETE' | 'ALTER_CONFIGS') =>
    derived.every((name) => isAllowed(role, operation, 'TOPIC', name));
  const lines: readonly (readonly [what: string, may: (role: Role) => boolean])[] = [
    ['read topics and their settings', (role) => derived.every((name) => isAllowed(role, 'READ', 'TOPIC', name))],
    ...TOPICS.map(
      ({ name }) => [`append to \`${name}\``, (role: Role) => isAllowed(role, 'WRITE', 'TOPIC', name)] as const,
    ),
    ['create topics, alter their settings', (role) => onAll(role, 'CREATE') && onAll(role, 'ALTER_CONFIGS')],
    [`delete \`${TAPE_TOPIC}\` or records of it`, (role) => isAllowed(role, 'DELETE', 'TOPIC', TAPE_TOPIC)],
    ['delete other topics or records of them', (role) => onAll(role, 'DELETE')],
    ['see groups', (role) => isAllowed(role, 'DESCRIBE', 'GROUP', 'tapeproof.candles.g1')],
    ['join groups `tapeproof.engine.*`', (role) => isAllowed(role, 'READ', 'GROUP', 'tapeproof.engine.1')],
    ['join other groups `tapeproof.*`', (role) => isAllowed(role, 'READ', 'GROUP', 'tapeproof.candles.g1')],
    ['other topics and groups, partitions, access rules, passwords', () => false],
  ];
  const rows = lines.map(([what, may]) => [what, ...ROLES.map((role) => (may(role) ? 'yes' : 'no'))]);
  return tableOf(['', ...ROLES.map((role) => `\`${principalOf(role)}\``)], rows);
}

function securityPage(): string {
  const page = readFileSync(join(import.meta.dirname, 'security.md'), 'utf8');
  const [before, rest = ''] = page.split(ACCESS_BEGINS);
  const [, after = ''] = rest.split(ACCESS_ENDS);
  return `${before}${ACCESS_BEGINS}\n\n${accessTable()}\n\n${ACCESS_ENDS}${after}`;
}

/** Of a server that nobody asks: its routes are described, not answered. */
async function apiDescription(): Promise<string> {
  const { app } = await createDashboardServer({
    ...{ models: {} as ReadModels, telemetry: noTelemetry(), log: createLog('docs', 'silent'), nowUs: () => 0 },
    ...{ host: '127.0.0.1', names: [], token: undefined, webFolder: '' },
  });
  const text = openApiText(app);
  await app.close();
  return text;
}

const pages = {
  'metrics.md': metricsPage(),
  'logs.md': logsPage(),
  'connections.md': connectionsPage(),
  'security.md': securityPage(),
  'openapi.json': await apiDescription(),
  'commands.md': commandsPage(),
  'configuration.md': configurationPage(),
  'events.md': eventsPage(),
  'asyncapi.json': asyncApiText(),
  'variables.md': variablesPage(),
};
for (const [name, text] of Object.entries(pages)) {
  const path = join(import.meta.dirname, name);
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    console.error(`docs/${name} differs from its catalogue: run "npm run generate" and commit it.`);
    process.exitCode = 1;
  }
}
