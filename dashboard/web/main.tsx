import { render } from 'preact';
import { startLive } from './api/live.ts';
import { App } from './app.tsx';
import { startClock } from './parts/clock.ts';
import { startRouter } from './router.tsx';

const root = document.getElementById('app');
if (root !== null) {
  startClock();
  startRouter();
  startLive();
  root.replaceChildren();
  render(<App />, root);
}
