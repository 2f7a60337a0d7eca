/** A page of the site, made from a page of the repository. */
export interface Page {
  /** As the sidebar has it. */
  readonly title: string;
  /** Path in the repository. */
  readonly source: string;
}

export interface Section {
  readonly title: string;
  readonly pages: readonly Page[];
}

const page = (title: string, source: string): Page => ({ title, source });

/** Every page of the site, in the order of its sidebar. */
export const CONTENTS: readonly Section[] = [
  {
    title: 'Begin',
    pages: [
      page('Tapeproof', 'README.md'),
      page('Start in five minutes', 'docs/start.md'),
      page('Concepts', 'docs/concepts.md'),
      page('Glossary', 'docs/glossary.md'),
    ],
  },
  {
    title: 'Take trades in',
    pages: [
      page('Trade files', 'docs/trade-files.md'),
      page('Names of instruments', 'docs/instrument-names.md'),
      page('Sessions', 'docs/sessions.md'),
      page('News, calendars and sectors', 'docs/context.md'),
      page('US stocks', 'docs/us-stocks.md'),
      page('Live venues', 'docs/venues.md'),
    ],
  },
  {
    title: 'Forecasts and results',
    pages: [
      page('Strategies', 'docs/strategies.md'),
      page('Scoreboard', 'docs/scoreboard.md'),
      page('Backtest', 'docs/backtest.md'),
      page('Laboratory', 'docs/laboratory.md'),
    ],
  },
  {
    title: 'Prove',
    pages: [
      page('Replay', 'docs/replay.md'),
      page('Audit', 'docs/audit.md'),
      page('Certify', 'docs/certify.md'),
      page('Proofs and witnesses', 'docs/proofs.md'),
      page('Oracle', 'docs/oracle.md'),
    ],
  },
  {
    title: 'Extend',
    pages: [
      page('Add a strategy', 'docs/add-a-strategy.md'),
      page('Add a projector', 'docs/add-a-projector.md'),
      page('Add a venue', 'docs/add-a-venue.md'),
    ],
  },
  {
    title: 'Operate',
    pages: [
      page('Operations', 'docs/operations.md'),
      page('Security', 'docs/security.md'),
      page('Observability', 'docs/observability.md'),
      page('Tracing', 'docs/tracing.md'),
      page('Capacity', 'docs/capacity.md'),
      page('Benchmarks', 'docs/benchmarks.md'),
    ],
  },
  {
    title: 'Reference',
    pages: [
      page('Commands', 'docs/commands.md'),
      page('Configuration', 'docs/configuration.md'),
      page('Variables', 'docs/variables.md'),
      page('Connections', 'docs/connections.md'),
      page('Events', 'docs/events.md'),
      page('Log lines', 'docs/logs.md'),
      page('Metrics', 'docs/metrics.md'),
      page('Alerts', 'docs/alerts.md'),
    ],
  },
  {
    title: 'The project',
    pages: [
      page('Architecture', 'ARCHITECTURE.md'),
      page('Changes', 'CHANGELOG.md'),
      page('Dependencies', 'docs/dependencies.md'),
      page('Contributing', 'CONTRIBUTING.md'),
      page('Reporting a weakness', 'SECURITY.md'),
    ],
  },
  {
    title: 'Decisions',
    pages: [
      page('All decisions', 'docs/decisions/README.md'),
      page('1 · One step of the engine', 'docs/decisions/0001-one-engine-step.md'),
      page('2 · No Kafka transactions', 'docs/decisions/0002-no-kafka-transactions.md'),
      page('3 · Commit on revoke', 'docs/decisions/0003-commit-on-revoke.md'),
      page('4 · A core in TypeScript', 'docs/decisions/0004-typescript-core.md'),
      page('5 · A live market', 'docs/decisions/0005-live-market.md'),
      page('6 · Real data', 'docs/decisions/0006-real-data.md'),
      page('7 · Calibrated probabilities', 'docs/decisions/0007-calibrated-probabilities.md'),
      page('8 · Growing trees', 'docs/decisions/0008-growing-trees.md'),
      page('9 · Traces', 'docs/decisions/0009-traces.md'),
    ],
  },
];

/** Names of the repository's that are another page's on the site, or its front page. */
const ADDRESSES: Readonly<Record<string, string>> = {
  'README.md': '/index',
  'SECURITY.md': '/security-policy',
  'docs/decisions/README.md': '/decisions/index',
};

/** Where the site has a page, without its ending: `docs/audit.md` is at `/audit`. */
export function addressOf(source: string): string {
  return (
    ADDRESSES[source] ??
    `/${source
      .replace(/^docs\//, '')
      .replace(/\.md$/, '')
      .toLowerCase()}`
  );
}
