/**
 * Measures the cost of the identities of one instrument's trades: `npm run bench:identities`, with `-- --trades
 * 10000000`. Needs no services.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { TradeIdentities } from '../contracts/trade-identities.ts';

const TRADES = 10_000_000;
/** Added in random order, which is slower. */
const SHUFFLED_PER_TRADES = 10;
const START_US = 1_742_947_200_000_000;
const DAY_US = 86_400_000_000;
const FIRST_ID = 4_000_000_000;
const GAP_MAX = 100;
const UUID_LENGTH = 36;
const NS_PER_US = 1_000;
const BYTES_PER_MIB = 1_048_576;

/** A random number below 1, the same at each run. */
let seed = 1;
function random(): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
}

/** The id of the trade at a position in time order. */
type IdOf = (index: number) => string;

/** Ids of the kinds that venues use, held without cost for the garbage collector. */
const KINDS: Readonly<Record<string, (trades: number) => IdOf>> = {
  'dense numbers': () => (index) => String(FIRST_ID + index),
  'numbers with gaps': (trades) => {
    const numbers = new Float64Array(trades);
    let number = FIRST_ID;
    for (let index = 0; index < trades; index += 1) numbers[index] = number += 1 + Math.floor(random() * GAP_MAX);
    return (index) => String(numbers[index]);
  },
  'random UUIDs': (trades) => {
    const text = Buffer.alloc(trades * UUID_LENGTH);
    for (let index = 0; index < trades; index += 1) text.write(randomUUID(), index * UUID_LENGTH, 'latin1');
    return (index) => text.toString('latin1', index * UUID_LENGTH, (index + 1) * UUID_LENGTH);
  },
};

/** CPU time, nanoseconds per call: other work on the machine does not count. */
function nsPerCall(order: Float64Array, call: (index: number) => void): number {
  const before = process.cpuUsage();
  for (const index of order) call(index);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * NS_PER_US) / order.length;
}

function measure(kind: string, idOf: IdOf, timesUs: Float64Array): Record<string, string | number> {
  const trades = timesUs.length;
  const inOrder = Float64Array.from(timesUs, (_, index) => index);
  const anyOrder = inOrder.filter((index) => index % SHUFFLED_PER_TRADES === 0);
  for (let index = anyOrder.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [anyOrder[index], anyOrder[other]] = [anyOrder[other] ?? 0, anyOrder[index] ?? 0];
  }
  let characters = 0;
  const making = nsPerCall(inOrder, (index) => (characters += idOf(index).length));
  const nsPerAdd = (identities: TradeIdentities, order: Float64Array): number =>
    Math.round(nsPerCall(order, (index) => identities.add(idOf(index), timesUs[index] ?? 0)) - making);

  const before = process.memoryUsage();
  const identities = new TradeIdentities();
  const adding = nsPerAdd(identities, inOrder);
  const after = process.memoryUsage();
  const figures = {
    ids: kind,
    'characters each': characters / trades,
    'MiB held': Math.round(identities.bytes / BYTES_PER_MIB),
    'bytes each': Number((identities.bytes / trades).toFixed(2)),
    'MiB of memory': Math.round((after.rss - before.rss) / BYTES_PER_MIB),
    'ns in order': adding,
    'ns again': nsPerAdd(identities, inOrder),
    'ns again, any order': nsPerAdd(identities, anyOrder),
    'ns new, any order': nsPerAdd(new TradeIdentities(), anyOrder),
  };
  if (identities.size !== trades) throw new Error(`${identities.size} of ${trades} are held`);
  const startedAt = performance.now();
  const { pages } = identities.toState();
  return { ...figures, pages: pages.length, 'ms of a state': Math.round(performance.now() - startedAt) };
}

const { values } = parseArgs({ options: { trades: { type: 'string', default: String(TRADES) } } });
const trades = Number(values.trades);
const timesUs = Float64Array.from({ length: trades }, () => START_US + Math.floor(random() * DAY_US)).sort();
for (const [kind, idsOf] of Object.entries(KINDS)) console.log(measure(kind, idsOf(trades), timesUs));
