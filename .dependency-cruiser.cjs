/** The layering of Tapeproof, in one place. Think hard before touching it. */
// Node's own modules by name, packages by their install path.
const IO =
  '^(node:)?(fs|fs/promises|net|http|https|child_process|os|dgram|tls|worker_threads|readline|process|perf_hooks|timers|timers/promises)$|(^|/)node_modules/(kafkajs|ioredis|pg|pg-copy-streams|pino|pino-pretty|prom-client|ws|@elastic/[^/]+|@platformatic/kafka|@kafkajs/[^/]+|@opentelemetry/[^/]+)/';
const NOT_MAIN = '(main\\.ts|\\.adapter\\.ts|\\.spec\\.ts|generate\\.ts)$';
const PLATFORM_IO = '^platform/(deadline|log|postgres|redis|telemetry)\\.ts$|^platform/(health|kafka|metrics|tracing)/';
module.exports = {
  required: [
    {
      name: 'adapters-do-io',
      comment: 'the suffix means that and nothing else: I/O of its own, or that of what it imports; fetch is a global',
      severity: 'error',
      module: { path: '\\.adapter\\.ts$', pathNot: '/(rest-client|ccxt-pages)\\.adapter\\.ts$' },
      to: { path: `${IO}|${PLATFORM_IO}`, reachable: true },
    },
  ],
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'contracts-is-a-leaf',
      severity: 'error',
      from: { path: '^contracts/' },
      to: {
        path: '^(?!contracts/|node_modules/)[a-z-]+/',
        pathNot: '^(node_modules|contracts)/',
        dependencyTypesNot: ['core', 'npm', 'npm-dev', 'npm-optional'],
      },
    },
    {
      name: 'platform-knows-no-domain',
      severity: 'error',
      from: { path: '^platform/' },
      to: { path: '^(evaluators|producers|projectors|proofs|stack|bin|dashboard)/|^pipeline\\.ts$' },
    },
    {
      name: 'layers-meet-only-in-contracts',
      comment:
        'producers, evaluators and projectors speak through events; the logarithm and the Merkle tree are the same everywhere, and of no layer',
      severity: 'error',
      from: { path: '^(producers|evaluators|projectors)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(producers|evaluators|projectors|proofs)/', pathNot: '^$1/|^evaluators/(arithmetic|merkle)\\.ts$' },
    },
    {
      name: 'pure-modules-do-no-io',
      severity: 'error',
      from: { path: '^(contracts|producers|evaluators|projectors)/', pathNot: NOT_MAIN },
      to: { path: IO },
    },
    {
      name: 'pure-modules-avoid-platform',
      comment: 'sentences for people aside',
      severity: 'error',
      from: { path: '^(contracts|producers|evaluators|projectors)/', pathNot: NOT_MAIN },
      to: {
        path: '^platform/',
        pathNot: '^platform/(errors|named-instrument)\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'replay-asks-no-zone-library',
      comment: 'a configuration holds the offsets of its zones: another version of the library changes no replay',
      severity: 'error',
      from: {
        path: '^(evaluators/(configuration|rules|engine|derive|partition-task)|evaluators/sessions/session-calendar)\\.ts$',
      },
      to: { path: '(^|/)node_modules/@js-joda/', reachable: true },
    },
    {
      name: 'strategies-stand-alone',
      severity: 'error',
      from: { path: '^evaluators/strategies/([^/]+)\\.ts$', pathNot: '(catalogue|strategy|\\.spec)\\.ts$' },
      to: { path: '^evaluators/strategies/', pathNot: 'strategies/strategy\\.ts$' },
    },
    {
      name: 'projectors-stand-alone',
      severity: 'error',
      from: { path: '^projectors/([^/]+)/' },
      to: { path: '^projectors/[^/]+/', pathNot: '^projectors/$1/' },
    },
    {
      name: 'venues-stand-alone',
      severity: 'error',
      from: { path: '^producers/venues/([^/]+)/' },
      to: { path: '^producers/(live|venues)/', pathNot: '^producers/venues/$1/' },
    },
    {
      name: 'dashboard-only-reads',
      comment: 'it knows the language, the proofs and their rules, and of the read models only where they are',
      severity: 'error',
      from: { path: '^dashboard/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: '^(producers|projectors|stack|bin|bench)/|^pipeline\\.ts$',
        pathNot: '^projectors/(redis-latest/projector|sinks/redis-keys)\\.ts$',
      },
    },
    {
      name: 'dashboard-contract-is-a-leaf',
      comment: 'the web page imports it too: only zod',
      severity: 'error',
      from: { path: '^dashboard/contract/' },
      to: { pathNot: '^dashboard/contract/|(^|/)node_modules/zod/' },
    },
    {
      name: 'only-commands-start-the-dashboard',
      severity: 'error',
      from: { pathNot: '^(dashboard|bin|bench|docs|tests)/|\\.spec\\.ts$' },
      to: { path: '^dashboard/' },
    },
    {
      name: 'web-page-knows-only-the-contract',
      comment: 'what runs in a browser has no Node, and of the server only the types of its answers',
      severity: 'error',
      from: { path: '^dashboard/web/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: '^(?!dashboard/|node_modules/|proofs/page/verify-in-browser\\.ts$)',
        dependencyTypesNot: ['npm', 'npm-dev'],
      },
    },
    {
      name: 'web-page-takes-types-of-the-contract',
      comment: 'its schemas would bring zod into the page',
      severity: 'error',
      from: { path: '^dashboard/web/' },
      to: { path: '^dashboard/(?!web/)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nobody-imports-the-web-page',
      severity: 'error',
      from: { pathNot: '^dashboard/web/|^tests/' },
      to: { path: '^dashboard/web/' },
    },
    {
      name: 'open-telemetry-is-loaded-on-demand',
      comment: 'a process that does not trace pays nothing for it',
      severity: 'error',
      from: { pathNot: '^platform/tracing/open-telemetry\\.ts$|\\.spec\\.ts$' },
      to: { path: '(^|/)node_modules/@opentelemetry/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tracing-is-started-on-demand',
      comment: 'only by import(), where a collector is configured',
      severity: 'error',
      from: { pathNot: '\\.spec\\.ts$' },
      to: { path: '^platform/tracing/open-telemetry\\.ts$', dynamic: false },
    },
    {
      name: 'production-imports-no-tests',
      severity: 'error',
      from: { pathNot: '\\.spec\\.ts$|^tests/|^vitest\\.config\\.ts$' },
      to: { path: '\\.spec\\.ts$|^tests/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^\\.tapeproof/|^deploy/aws/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
