import type { Command } from 'commander';
import { buildProgram } from '../../bin/program.ts';
import { VARIABLES } from '../../platform/security/variables.ts';
import { DEFAULT_STACK_OPTIONS } from '../../stack/options.ts';
import { tableOf } from './table.ts';

/** Variables that belong neither to a connection nor to an option. */
const OF_EVERY_PROCESS: Readonly<Record<string, string>> = {
  TAPEPROOF_LOG_LEVEL:
    'the least level of [log lines](logs.md): `trace`, `debug`, `info`, `warn`, `error`, `silent`; `info` by default',
  TAPEPROOF_LOG_FORMAT: '`json`, or `text`, which is the default on a terminal',
  TAPEPROOF_GIT_COMMIT: 'the commit of this code, where there is no git checkout, as in an image',
  TAPEPROOF_ALLOW_DIRTY: '`1` lets [`activate`](commands.md#activate) put code in force that differs from its commit',
  TAPEPROOF_TRACE_ONE_IN:
    'one trade of this many that are ingested gets a [trace](tracing.md); 1000 where a collector is named, else none',
  OTEL_EXPORTER_OTLP_ENDPOINT: "a collector's address; without one nothing is traced",
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'the same, for traces alone',
  OTEL_EXPORTER_OTLP_HEADERS: 'headers of the requests to the collector',
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'the same, for traces alone',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'spans are sent as `http/json`; `grpc` is refused',
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'the same, for traces alone',
  OTEL_TRACES_EXPORTER: '`none` traces nothing',
  OTEL_SDK_DISABLED: '`true` traces nothing',
  OTEL_SERVICE_NAME: 'name of the process in its traces, instead of its own',
};

const OF_THE_LOCAL_STACK: Readonly<Record<string, string>> = {
  TAPEPROOF_STACK_FOLDER: 'data and logs; `.tapeproof/stack` in the project by default',
  TAPEPROOF_STACK_PARTS_FOLDER: 'downloads; `.tapeproof/parts` in the project by default',
  ...Object.fromEntries(
    Object.entries(DEFAULT_STACK_OPTIONS.ports).map(([name, port]) => [
      `TAPEPROOF_STACK_PORT_${name.toUpperCase()}`,
      `a port on 127.0.0.1, ${port} by default`,
    ]),
  ),
};

/** Options that a variable may give, by the variable, each with the commands that have it. */
function ofOptions(): Map<string, { readonly meaning: string; readonly commands: string[] }> {
  const found = new Map<string, { readonly meaning: string; readonly commands: string[] }>();
  const visit = (command: Command, words: readonly string[]): void => {
    for (const { envVar, long, description } of command.options) {
      if (envVar === undefined) continue;
      const { commands } = found.get(envVar) ?? { commands: [] };
      const link = `[\`${words.join(' ')}\`](commands.md#${words.join('-')})`;
      found.set(envVar, { meaning: `\`${long ?? ''}\`: ${description}`, commands: [...commands, link] });
    }
    for (const child of command.commands) visit(child, [...words, child.name()]);
  };
  visit(buildProgram(), []);
  return found;
}

/** docs/variables.md: every variable of the environment that is read. */
export function variablesPage(): string {
  const rows = (variables: Readonly<Record<string, string>>) =>
    tableOf(
      ['variable', 'meaning'],
      Object.entries(variables).map(([name, meaning]) => [`\`${name}\``, meaning]),
    );
  const options = [...ofOptions()].map(([name, { meaning, commands }]) => [
    `\`${name}\``,
    meaning,
    commands.join(', '),
  ]);
  return `# Variables

<!-- Generated from bin/program.ts and docs/reference/variables.ts by \`npm run generate\`. Do not edit. -->

All variables of the environment that Tapeproof reads. A value that is not valid leads to one sentence and exit code 2.

## Options

An option that is given comes before its variable.

${tableOf(['variable', 'option', 'commands'], options)}

## Every process

${rows(OF_EVERY_PROCESS)}

## The local stack

${rows(OF_THE_LOCAL_STACK)}

## Connections and secrets

[Connections](connections.md) explains them:

${Object.keys(VARIABLES)
  .map((name) => `- \`${name}\``)
  .join('\n')}
`;
}
