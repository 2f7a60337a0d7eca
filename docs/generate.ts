/** Writes docs/metrics.md, docs/logs.md and docs/connections.md from their catalogues; with --check only compares, and exits 1 on drift. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOG_EVENTS, type LogEventDefinition, type Service } from '../platform/log-events.ts';
import { VARIABLES, type VariableDefinition } from '../platform/security/variables.ts';
import { METRICS, type AlertRule, type MetricDefinition } from '../platform/metrics/catalogue.ts';

const PROCESSES: Readonly<Record<Service, string>> = {
  engine: 'engine',
  projector: 'projector',
  'ingest-live': 'live',
};

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function processesOf(at: readonly Service[]): string {
  return at.length === Object.keys(PROCESSES).length ? 'all' : at.map((service) => PROCESSES[service]).join(', ');
}

function ruleOf({ name, expression, forS, meaning, action }: AlertRule): string {
  return `- alert: ${name}
  expr: ${expression}
  for: ${forS}s
  annotations:
    summary: ${JSON.stringify(meaning)}
    description: ${JSON.stringify(action)}`;
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
  const rules = Object.values<MetricDefinition>(METRICS).flatMap(({ alert }) =>
    alert === undefined ? [] : [ruleOf(alert)],
  );
  return `# Metrics

<!-- Generated from platform/metrics/catalogue.ts by \`npm run generate\`. Do not edit. -->

Each long-running process answers in Prometheus' text format at \`/metrics\`, on a free port of 127.0.0.1 that it logs
(\`event.action\` \`http-listening\`), or where \`--http-port\` and \`--http-host\`, or \`TAPEPROOF_HTTP_PORT\`, say. Beside it:

- \`/health\`: 200 while the process is alive, 503 when it should be replaced: its consumer stopped for good, or its event
  loop stands still.
- \`/ready\`: 200 while it can do its work, 503 while a service that it needs does not answer, it is not yet a member of
  its group or not connected to its venue, it is stopping, or nothing comes of it: a partition has lag and nothing of it
  was committed for 20 seconds (\`progress\`), another engine version is in force (\`activation\`), or most of what it reads
  becomes dead letters (\`dead-letters\`). A batch that takes long and goes on is work. The check that fails says what it
  waits for.

They answer at an address and as \`localhost\`; under a name, as in a scraper's configuration, only where \`--http-names\` or
\`TAPEPROOF_HTTP_NAMES\` lists it (else 421: a web page could have its own name point here). Clients that connect and send
nothing keep nobody out: of 64 connections the oldest idle one makes room for a new one.

Both say as JSON what they looked at. Labels are bounded: no identities, and instruments only of live ingestion, where the
operator names them. \`process_*\` and \`nodejs_*\` (CPU, memory, event loop, garbage collection, file descriptors) are
those of the Prometheus client. Counters begin at 0 with the process. Each process reports the lag of the partitions that
it has; an event time in the past, as of a file of 2013, makes that lag's seconds large.

${tableOf(['metric', 'type', 'labels', 'process', 'meaning'], rows)}

Upper bounds of the histograms, seconds:

${tableOf(['metric', 'buckets'], buckets)}

## When to call somebody

The rules of a Prometheus group, each of one metric above:

\`\`\`yaml
${rules.join('\n')}
\`\`\`
`;
}

function logsPage(): string {
  const rows = Object.entries<LogEventDefinition>(LOG_EVENTS).map(([action, { level, sampled, at, meaning }]) => [
    `\`${action}\``,
    level,
    sampled ? 'yes' : '',
    processesOf(at),
    meaning,
  ]);
  return `# Log lines

<!-- Generated from platform/log-events.ts by \`npm run generate\`. Do not edit. -->

Logs go to standard error: a JSON object a line with the fields of the Elastic Common Schema, or text where standard error
is a terminal. \`TAPEPROOF_LOG_FORMAT\` (\`json\`, \`text\`) and \`TAPEPROOF_LOG_LEVEL\` (\`trace\`, \`debug\`, \`info\`, \`warn\`,
\`error\`, \`silent\`) say otherwise.

Every line has \`@timestamp\`, \`log.level\`, \`message\`, \`service.name\`, \`process.pid\` and \`ecs.version\`. A line of the
kinds below has \`event.action\`; one about a derived event has its identity in \`event.id\` and its cause's place on the tape
in \`tapeproof.tape.partition\` and \`tapeproof.tape.offset\`, and is written after Kafka acknowledged the event. Errors are
in \`error.*\`; everything else of ours begins with \`tapeproof.\`. Of a sampled kind at most two lines a second are written;
\`tapeproof.suppressed\` says how many were left out since the line before.

One event is one line, whatever a field holds: control characters, line separators and bidirectional overrides are
escaped, text is cut at a bound, and no field can take another's name.

${tableOf(['event.action', 'level', 'sampled', 'process', 'meaning'], rows)}
`;
}

function connectionsPage(): string {
  const rows = Object.entries<VariableDefinition>(VARIABLES).map(([name, { secret, meaning }]) => [
    `\`${name}\`${secret === true ? ', `…_FILE`' : ''}`,
    meaning,
  ]);
  return `# Connections

<!-- Generated from platform/security/variables.ts by \`npm run generate\`. Do not edit. -->

Commands and processes find the services by these variables, else in the running local stack. A service of which any
variable is set is taken from the environment alone: an address of your own is not mixed with the local stack's certificates.

Where \`…_FILE\` stands beside a variable, its value may be in a file instead, as Docker and Kubernetes give secrets: the
variable with \`_FILE\` at its end names it, and one newline at the file's end is cut off. Both together are refused.

${tableOf(['variable', 'meaning'], rows)}

- **Kafka.** Both clients get the same settings. Mutual TLS is \`SSL\` with a certificate and its key. A token from a file is
  read again at each connection and each time that the broker asks for a newer one; one from \`TAPEPROOF_KAFKA_TOKEN_URL\` is kept
  until shortly before its end.
- **Registry.** User name and password may stand in the URL too; or a bearer token.
- **Postgres.** \`sslmode\`, \`sslrootcert\`, \`sslcert\` and \`sslkey\` may stand in the URL, as libpq has them. \`verify-full\`
  verifies who signed the server's certificate and its host name; \`verify-ca\` and \`require\` who signed it, where libpq's
  \`require\` takes any certificate; \`no-verify\` encrypts and verifies nothing; \`disable\` speaks plain text. \`prefer\` and
  \`allow\`, which fall back to plain text in silence, are refused. Without a mode: \`verify-full\` where a certificate is set, else \`disable\`.
- **Redis.** \`rediss:\` verifies certificate and host name.

A refusal is one sentence and exit code 3: wrong password or token, a certificate of an unknown authority, for another host
name or expired, an access rule that is missing. A setting that is wrong in itself is one sentence and exit code 2. A process
that is refused while it runs waits and asks again, as in an outage, and says why at \`/ready\`.

## Secrets

They are read from the environment or files, never from arguments, and reach no log, metric, error or output: whatever this
process writes is searched for them first, as they are and in base64, JSON and URLs. A password of fewer than 6 characters, or one that
equals its user name, cannot be told from an everyday word and is not searched for.

## The local stack, secured

    npx tapeproof stack up --secure

[Who may do what](security.md) there, and where its passwords lie. Commands use it as they use any local stack, each in its role;
\`endpoints.json\` in the stack's folder names for each role the variables above, for processes of your own.
`;
}

const pages = { 'metrics.md': metricsPage(), 'logs.md': logsPage(), 'connections.md': connectionsPage() };
for (const [name, text] of Object.entries(pages)) {
  const path = join(import.meta.dirname, name);
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    console.error(`docs/${name} differs from its catalogue: run "npm run generate" and commit it.`);
    process.exitCode = 1;
  }
}
