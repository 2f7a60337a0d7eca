import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeBody, hashBody, sha256Hex } from '../contracts/codec.ts';
import type { EngineActivated, Outcome } from '../contracts/generated/events.ts';
import { recordHashOf, parseTaskState } from './anchor.ts';
import { ENGINE_VERSION, parseConfiguration } from './configuration.ts';
import { activationOf, lineOf } from './derive.ts';
import { onlyStrategies } from './fixtures/only-strategies.ts';
import { syntheticTrades, type SyntheticMarket } from './fixtures/synthetic-market.ts';
import {
  activated,
  bytesOf,
  eventsOf,
  ofType,
  pagesOf,
  run,
  ticked,
  tickOf,
  traded,
} from './fixtures/tape-contents.ts';
import { createPartitionTask, restorePartitionTask, type PartitionTask } from './partition-task.ts';

/** What engine version 1 left where it met the activation of version 2; made by its own code. */
interface Handover {
  readonly market: SyntheticMarket;
  /** Trades before the activation of version 2. */
  readonly cut: number;
  readonly manifest: string;
  readonly state: string;
  readonly wentOn: { readonly events: number; readonly sha256: string };
}

const handover = JSON.parse(
  readFileSync(new URL('fixtures/version-1-anchor.json', import.meta.url), 'utf8'),
) as Handover;
const manifestBody = Buffer.from(handover.manifest, 'base64');
const manifest = decodeBody('EngineAnchor', manifestBody);
const manifestHash = hashBody('EngineAnchor', manifestBody);
const stateBytes = Buffer.from(handover.state);
const { activation: first } = JSON.parse(handover.state) as { activation: EngineActivated };
const trades = syntheticTrades(handover.market).map((trade) => traded(trade));
const identity = { tapeId: 'tape', activationId: 'second', gitCommit: 'abc' };
const { strategies, ...rest } = JSON.parse(first.configuration) as { strategies: Record<string, object> };
const second = activationOf(parseConfiguration({ ...rest, strategies: onlyStrategies(strategies) }), identity);

function takenOver(): PartitionTask {
  const task = restorePartitionTask(manifest, stateBytes, manifestHash);
  run(task, [activated(second)]);
  return task;
}

describe('this engine version after version 1', () => {
  it('stands where version 1 stopped, with the state that it has itself at that place', () => {
    const task = restorePartitionTask(manifest, stateBytes, manifestHash);
    expect(first.engineVersion).toBe('1');
    expect(task.nextOffset).toBe(handover.cut + 1);
    expect(recordHashOf(trades[handover.cut - 1]!)).toBe(manifest.tapeRecordHash);
    const own = createPartitionTask(manifest.tape.partition);
    const advances = run(own, [activated(second), ...trades.slice(0, handover.cut), activated(foreign())]);
    const anchor = advances.at(-1)?.anchor;
    const imported = parseTaskState(stateBytes);
    const derived = parseTaskState(bytesOf(anchor!), pagesOf(advances));
    expect(imported).toEqual({ ...derived, activation: first, activationIds: ['first'] });
    expect(imported.instruments.map(({ pending }) => pending.length)).toEqual([14, 13]);
  });

  it('leaves the tape alone until its activation is there', () => {
    const task = restorePartitionTask(manifest, stateBytes, manifestHash);
    const [halted] = run(task, trades.slice(handover.cut, handover.cut + 1));
    expect(halted).toMatchObject({ derived: [], anchor: undefined, foreignActivation: { engineVersion: '1' } });
  });

  it('goes on as version 1 would have, with every pending forecast', () => {
    const records = eventsOf(run(takenOver(), trades.slice(handover.cut)));
    expect(records).toHaveLength(handover.wentOn.events);
    // The digest is of lines that name version 2 and the configuration of version 1: who derives is not what is derived.
    const lines = records
      .map(lineOf)
      .join('')
      .replaceAll(`"engineVersion":"${ENGINE_VERSION}"`, '"engineVersion":"2"')
      .replaceAll(second.configHash, first.configHash);
    expect(sha256Hex(lines)).toBe(handover.wentOn.sha256);
    const pending = parseTaskState(stateBytes).instruments.flatMap((one) =>
      one.pending.map(([forecastId]) => forecastId),
    );
    const resolved = ofType<Outcome>(records, 'Outcome').map(({ forecastId }) => forecastId);
    expect(resolved).toEqual(expect.arrayContaining(pending));
  });

  it('names the anchor of version 1 as the one before its own, and resolves what it took over by ticks', () => {
    const task = restorePartitionTask(manifest, stateBytes, manifestHash);
    const [{ anchor } = {}] = run(task, [activated(second)]);
    expect(anchor?.manifest).toMatchObject({
      engineVersion: ENGINE_VERSION,
      previousAnchorHash: manifestHash.toString('hex'),
    });
    const pending = parseTaskState(stateBytes).instruments.flatMap((one) =>
      one.pending.map(([forecastId]) => forecastId),
    );
    const last = Math.max(...trades.map(({ trade }) => trade.eventTime));
    const records = eventsOf(
      run(task, [ticked(tickOf([...(handover.market.instruments ?? [])], last + 3_600_000_000))]),
    );
    expect(ofType<Outcome>(records, 'Outcome').map(({ forecastId, verdict }) => [forecastId, verdict])).toEqual(
      pending.map((forecastId) => [forecastId, 'VOID']),
    );
  });
});

function foreign(): EngineActivated {
  return { ...second, activationId: 'third', engineVersion: 'another' };
}
