import { useEffect } from 'preact/hooks';
import { connection } from './api/live.ts';
import { AuditPage } from './pages/audit/audit-page.tsx';
import { AuditStart } from './pages/audit/audit-start.tsx';
import { InstrumentPage } from './pages/instrument/instrument-page.tsx';
import { LivePage } from './pages/live/live-page.tsx';
import { PipelinePage } from './pages/pipeline/pipeline-page.tsx';
import { ScoreboardPage } from './pages/scoreboard/scoreboard-page.tsx';
import { Empty, PageHead, WarningSign } from './parts/states.tsx';
import { Age } from './parts/time.tsx';
import { PageLink, route } from './router.tsx';
import type { Route } from './routes.ts';

const PAGES: readonly { readonly name: string; readonly to: Route }[] = [
  { name: 'Live', to: { page: 'live' } },
  { name: 'Scoreboard', to: { page: 'scoreboard' } },
  { name: 'Audit', to: { page: 'audit-start' } },
  { name: 'Pipeline', to: { page: 'pipeline' } },
];

export function App() {
  useEffect(() => {
    document.title = `${titleOf(route.value)} – Tapeproof`;
  }, [route.value]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Top />
      <main id="main" tabIndex={-1}>
        <LostConnection />
        <Page />
      </main>
      <Foot />
    </>
  );
}

function Page() {
  const shown = route.value;
  switch (shown.page) {
    case 'live':
      return <LivePage />;
    case 'instrument':
      return <InstrumentPage key={shown.instrument} instrument={shown.instrument} />;
    case 'scoreboard':
      return <ScoreboardPage />;
    case 'audit':
      return <AuditPage key={shown.eventId} eventId={shown.eventId} />;
    case 'audit-start':
      return <AuditStart />;
    case 'pipeline':
      return <PipelinePage />;
    case 'not-found':
      return (
        <>
          <PageHead title="There is no such page" />
          <Empty title="The address names no page here">
            <PageLink to={{ page: 'live' }}>Go to the live page</PageLink>
          </Empty>
        </>
      );
  }
}

function titleOf(shown: Route): string {
  switch (shown.page) {
    case 'instrument':
      return shown.instrument;
    case 'audit':
      return shown.eventId;
    case 'audit-start':
      return 'Audit';
    case 'live':
    case 'scoreboard':
    case 'pipeline':
      return shown.page.charAt(0).toUpperCase() + shown.page.slice(1);
    case 'not-found':
      return 'No such page';
  }
}

function Top() {
  return (
    <header class="top">
      <div class="top-inner">
        <a class="brand" href="/">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="var(--accent)" />
            <path
              d="M6 20h4l3-9 5 13 3-8 2 4h3"
              fill="none"
              stroke="var(--on-accent)"
              stroke-width="2.6"
              stroke-linecap="round"
              stroke-linejoin="round"
            />
          </svg>
          Tapeproof
        </a>
        <nav aria-label="Pages">
          <ul>
            {PAGES.map(({ name, to }) => (
              <li key={name}>
                <PageLink to={to}>{name}</PageLink>
              </li>
            ))}
          </ul>
        </nav>
        <ConnectionState />
      </div>
    </header>
  );
}

function ConnectionState() {
  const { state } = connection.value;
  const words = { connecting: 'Connecting …', open: 'Updating live', lost: 'Connection lost' };
  return (
    <span class="connection" role="status">
      <span class={`dot is-${state}`} />
      {words[state]}
    </span>
  );
}

function LostConnection() {
  const { state, lastEventMs } = connection.value;
  if (state !== 'lost') return null;
  return (
    <div class="notice" role="alert">
      <WarningSign />
      <p>
        <strong>The connection to the server is lost.</strong> This page connects again by itself.
      </p>
      {lastEventMs === 0 ? null : (
        <p>
          The last update was <Age sinceMs={lastEventMs} /> ago.
        </p>
      )}
    </div>
  );
}

function Foot() {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return (
    <footer class="foot">
      <div class="foot-inner">
        <p>Probabilities, not predictions or advice. Everything here can be derived again from the tape.</p>
        <p>
          Times are in your time zone, {timeZone}; point at one for UTC. Charts by{' '}
          <a href="https://www.tradingview.com/" rel="noreferrer">
            TradingView Lightweight Charts
          </a>
          .
        </p>
      </div>
    </footer>
  );
}
