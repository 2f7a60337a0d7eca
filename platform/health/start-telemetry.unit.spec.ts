import { describe, expect, it } from 'vitest';
import { parsePrometheus } from '../../tests/support/prometheus-text.ts';
import { createLog } from '../log.ts';
import type { Service } from '../log-events.ts';
import { startTelemetry } from './start-telemetry.ts';

async function firstScrape(service: Service, name: string) {
  const telemetry = await startTelemetry({
    ...{ service, name, dependencies: {}, host: '127.0.0.1', port: 0 },
    build: { version: '1', commit: 'x' },
    log: createLog(name, 'silent'),
  });
  try {
    const families = parsePrometheus(await telemetry.metrics.text());
    return (metric: string) => families.get(`tapeproof_${metric}`)?.samples ?? [];
  } finally {
    await telemetry.close();
  }
}

describe('the first scrape of a process', () => {
  it.each([
    ['engine', 'engine'],
    ['projector', 'redis-latest'],
    ['ingest-live', 'ingest-live'],
  ] as const)('of %s has each kind of dead letter at 0', async (service, name) => {
    const letters = (await firstScrape(service, name))('dead_letters_total');
    expect(letters).toContainEqual(
      expect.objectContaining({ labels: { reader: name, reason: 'NOT_POSITIVE' }, value: 0 }),
    );
    expect(letters).toHaveLength(15);
  });

  it('has conflicts at 0 where there can be any', async () => {
    const projector = await firstScrape('projector', 'redis-latest');
    expect(projector('projector_conflicts_total')).toMatchObject([{ labels: { projector: 'redis-latest' }, value: 0 }]);
    expect((await firstScrape('engine', 'engine'))('projector_conflicts_total')).toEqual([]);
  });

  it.each([
    ['engine', 'anchor-written', 'live-late-trade'],
    ['projector', 'offsets-committed', 'anchor-written'],
    ['ingest-live', 'live-late-trade', 'anchor-written'],
  ] as const)('counts the suppressed lines of %s, and no other process', async (service, own, foreign) => {
    const lines = (await firstScrape(service, service))('log_lines_suppressed_total');
    const actions = lines.map(({ labels }) => labels['action']);
    expect(actions).toContain(own);
    expect(actions).toContain('dead-letter');
    expect(actions).not.toContain(foreign);
  });
});
