/**
 * Measures what the identities of one instrument's trades cost: `npm run bench:identities`, with `-- --trades 10000000`.
 * Needs no services.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { TradeIdentities } from '../contracts/trade-identities.ts';

const TRADES = 10_000_000;
/** Added in random order, which is slower. */
const SHUFFLED_PER_TRADES = 10;
const START_US = 1_742_947_200_000_000;
const DAY_US = 86_400_000_000;
const GAP_MAX = 100;
const NS_PER_US = 1_000;
const US_PER_MS = 1_000;
const BYTES_PER_MIB = 1_048_576;

/** A random number below 1, the same at each run. */
let seed = 1;
function random(): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
}

/** Ids of the kinds that venues have. */
const KINDS: Readonly<Record<string, (trades: number) => string[]>> = {
  'dense numbers': (trades) => Array.from({ length: trades }, (_, index) => String(4_000_000_000 + index)),
  'numbers with gaps': (trades) => {
    let id = 4_000_000_000;
    return Array.from({ length: trades }, () => String((id += 1 + Math.floor(random() * GAP_MAX))));
  },
  'random UUIDs': (trades) => Array.from({ length: trades }, () => randomUUID()),
};

/** Processor time, microseconds: other work on the machine does not count. */
function cpuUsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function nsPerAdd(ids: readonly string[], timesUs: Float64Array, identities: TradeIdentities): number {
  const cpuUs = cpuUsOf(() => {
    for (let index = 0; index < ids.length; index += 1) identities.add(ids[index] ?? '', timesUs[index] ?? 0);
  });
  return Math.round((cpuUs * NS_PER_US) / ids.length);
}

function measure(kind: string, ids: readonly string[]): Record<string, string | number> {
  const timesUs = Float64Array.from(ids, () => START_US + Math.floor(random() * DAY_US)).sort();
  const before = process.memoryUsage();
  const identities = new TradeIdentities();
  const inOrder = nsPerAdd(ids, timesUs, identities);
  const after = process.memoryUsage();
  const again = nsPerAdd(ids, timesUs, identities);
  if (identities.size !== ids.length) throw new Error(`${identities.size} of ${ids.length} are held`);
  let pages = 0;
  const stateUs = cpuUsOf(() => {
    pages = identities.toState().pages.length;
  });

  const count = Math.floor(ids.length / SHUFFLED_PER_TRADES);
  const shuffled = Array.from({ length: count }, (_, index) => index * SHUFFLED_PER_TRADES);
  for (let index = count - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [shuffled[index], shuffled[other]] = [shuffled[other] ?? 0, shuffled[index] ?? 0];
  }
  const anyIds = shuffled.map((index) => ids[index] ?? '');
  const anyTimes = Float64Array.from(shuffled, (index) => timesUs[index] ?? 0);
  return {
    ids: kind,
    'MiB held': Math.round(identities.bytes / BYTES_PER_MIB),
    'bytes each': Number((identities.bytes / ids.length).toFixed(2)),
    'MiB of heap': Number(((after.heapUsed - before.heapUsed) / BYTES_PER_MIB).toFixed(1)),
    'MiB outside': Math.round((after.arrayBuffers - before.arrayBuffers) / BYTES_PER_MIB),
    pages,
    'ns in order': inOrder,
    'ns again': again,
    'ns again, any order': nsPerAdd(anyIds, anyTimes, identities),
    'ns new, any order': nsPerAdd(anyIds, anyTimes, new TradeIdentities()),
    'state, ms': Math.round(stateUs / US_PER_MS),
  };
}

const { values } = parseArgs({ options: { trades: { type: 'string', default: String(TRADES) } } });
for (const [kind, idsOf] of Object.entries(KINDS)) console.log(measure(kind, idsOf(Number(values.trades))));
