import type { DashboardDefinition } from './dashboard.ts';
import { ENGINE_DASHBOARD } from './engine.ts';
import { LIVE_INGEST } from './live-ingest.ts';
import { OVERVIEW } from './overview.ts';
import { PROOFS } from './proofs.ts';
import { READ_MODELS } from './read-models.ts';

/** Grafana's dashboards, in the order of a first look. Every metric is on a panel: dashboards.unit.spec.ts. */
export const DASHBOARDS: readonly DashboardDefinition[] = [
  OVERVIEW,
  ENGINE_DASHBOARD,
  READ_MODELS,
  LIVE_INGEST,
  PROOFS,
];
