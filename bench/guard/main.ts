/**
 * Fails when the engine takes much more processor time than it did: `npm run bench:guard`, with `-- --json`. Seconds
 * long and without services, so that CI runs it each time. Nothing is compared with a clock: the time of the engine is
 * divided by that of a fixed loop in the same process (docs/benchmarks.md).
 */
import { parseArgs } from 'node:util';
import { engineOver } from './engine-pass.ts';
import { measureRatio, type Ratio } from './ratio.ts';
import { referenceOver } from './reference-pass.ts';
import { guardTape } from './tape.ts';

/** Above what the engine takes, 1.8 to 1.95 however busy the machine is; half as much again is above it. */
const RATIO_MAX = 2.5;

function textOf({ ratio, engineUs, referenceUs, pairs, isSlow }: Ratio): string {
  const verdict = isSlow ? 'too slow' : 'as fast as it was';
  const shown = `${engineUs.toFixed(2)} ÷ ${referenceUs.toFixed(2)} µs of CPU a trade, each slice at its fastest in ${pairs} pairs`;
  return `The engine is ${verdict}: ${ratio.toFixed(2)} times the reference (${shown}; at most ${RATIO_MAX}).`;
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const tape = guardTape();
const measured = measureRatio({ engine: engineOver(tape), reference: referenceOver(tape) }, tape.trades, RATIO_MAX);
const text = textOf(measured);
process.stdout.write(`${values.json ? JSON.stringify({ ...measured, ratioMax: RATIO_MAX }) : text}\n`);
if (measured.isSlow) process.exitCode = 1;
