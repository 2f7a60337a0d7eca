import type { LogAction } from '../platform/log-events.ts';
import { DATA_STREAMS } from './index-template.ts';

const DATA_VIEW = 'tapeproof-logs';

interface SavedSearch {
  readonly id: `tapeproof-${string}`;
  readonly title: string;
  readonly description: string;
  /** In Lucene's syntax, which Kibana and the search API both understand. */
  readonly query: string;
  readonly columns: readonly string[];
}

const oneOf = (...actions: readonly LogAction[]) => `event.action:(${actions.map((each) => `"${each}"`).join(' OR ')})`;

export const SAVED_SEARCHES: readonly SavedSearch[] = [
  {
    id: 'tapeproof-follow-decision',
    title: 'Tapeproof: follow one decision',
    description:
      'The results of its strategies, the decision, its outcomes. Replace 3-18540 by partition-offset: the middle of decision-3-18540-0. Frequent lines are sampled; the audit has all of it.',
    query: 'tapeproof.decision:"3-18540"',
    columns: ['event.action', 'event.id', 'tapeproof.instrument', 'tapeproof.strategy', 'tapeproof.verdict', 'message'],
  },
  {
    id: 'tapeproof-attention',
    title: 'Tapeproof: needs attention',
    description: 'Warnings and errors of all processes.',
    query: 'log.level:(warn OR error)',
    columns: ['log.level', 'service.name', 'event.action', 'event.reason', 'message'],
  },
  {
    id: 'tapeproof-forecasts',
    title: 'Tapeproof: forecasts and outcomes',
    description: 'Strategies executed, probabilities emitted, outcomes evaluated.',
    query: oneOf('strategy-executed', 'probability-emitted', 'outcome-evaluated'),
    columns: [
      'tapeproof.instrument',
      'tapeproof.strategy',
      'tapeproof.direction',
      'tapeproof.probability',
      'tapeproof.verdict',
    ],
  },
  {
    id: 'tapeproof-consumers',
    title: 'Tapeproof: consumers and rebalances',
    description: 'Who joined and left which group, which partitions moved, what stalled.',
    query: oneOf(
      'consumer-started',
      'consumer-joined',
      'partitions-assigned',
      'partitions-revoked',
      'partition-paused',
      'stalled',
      'stall-ended',
      'commit-failed',
      'consumer-left',
      'consumer-crashed',
      'consumer-stopped',
    ),
    columns: ['service.name', 'process.pid', 'event.action', 'tapeproof.group', 'tapeproof.partitions'],
  },
  {
    id: 'tapeproof-services',
    title: 'Tapeproof: Kafka, registry, Postgres, Redis',
    description: 'When each service was up and down, for whom.',
    query: oneOf(
      'kafka-up',
      'kafka-down',
      'registry-up',
      'registry-down',
      'registry-changed',
      'registry-agrees',
      'postgres-up',
      'postgres-down',
      'redis-up',
      'redis-down',
      'sink-recovered',
      'eviction-on',
      'eviction-off',
    ),
    columns: ['service.name', 'event.action', 'event.reason', 'message'],
  },
  {
    id: 'tapeproof-integrity',
    title: 'Tapeproof: who else wrote',
    description:
      'Conflicts, foreign records, rejected anchors, logs that differ, indicators that other code does not confirm.',
    query: oneOf(
      'conflict',
      'foreign-record',
      'foreign-event',
      'anchor-rejected',
      'output-lost',
      'log-differs',
      'witness-refuses',
      'oracle-divergence',
      'recovered',
    ),
    columns: ['service.name', 'event.action', 'tapeproof.topic', 'tapeproof.partition', 'tapeproof.offset', 'message'],
  },
  {
    id: 'tapeproof-refused',
    title: 'Tapeproof: refused and missing trades',
    description: 'Dead letters, trades that do not count, gaps of live markets.',
    query: oneOf(
      'dead-letter',
      'trade-set-aside',
      'live-gap-opened',
      'live-gap-filled',
      'live-gap-declared',
      'live-late-trade',
    ),
    columns: ['event.action', 'event.reason', 'tapeproof.instrument', 'tapeproof.set_aside', 'message'],
  },
];

/** Kibana's saved objects: the data view, and the searches on it. */
export function savedObjects(): string {
  const view = {
    type: 'index-pattern',
    id: DATA_VIEW,
    attributes: { title: DATA_STREAMS, name: 'Tapeproof log lines', timeFieldName: '@timestamp' },
    references: [],
  };
  return [view, ...SAVED_SEARCHES.map(searchObject)].map((each) => `${JSON.stringify(each)}\n`).join('');
}

function searchObject({ id, title, description, query, columns }: SavedSearch): object {
  // Kibana replaces the name by the id in `references`.
  const indexRefName = 'kibanaSavedObjectMeta.searchSourceJSON.index';
  const searchSource = { query: { query, language: 'lucene' }, filter: [], indexRefName };
  return {
    type: 'search',
    id,
    attributes: {
      title,
      description,
      columns,
      sort: [['@timestamp', 'desc']],
      kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(searchSource) },
    },
    references: [{ name: indexRefName, type: 'index-pattern', id: DATA_VIEW }],
  };
}
