import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameOfCompression, type Costs } from './costs.ts';
import type { GrowthPoint } from './growth.ts';
import { kept, type Kept } from './kept.ts';

/** The plan is as much load as this share of each processor: the rest is for peaks, catching up and failed neighbours. */
const UTILISATION = 0.6;
const REPLICAS = 3;
/** A group gives each member whole partitions: with two for each engine, half as many engines again can join. */
const PARTITIONS_PER_ENGINE = 2;
const BROKER_CORES = 16;
const POSTGRES_CORES = 32;
/** Of 25 Gbit/s. */
const BROKER_NETWORK_BYTES = 3_125_000_000;
/** Readers of the derived topics beside the engine: postgres-history, redis-latest, and one like them. */
const READERS = 3;
const BROKERS_MIN = 3;
const MICROSECONDS_PER_SECOND = 1_000_000;
const SECONDS_PER_DAY = 86_400;
const TERABYTE = 1e12;
const GIGABYTE = 1e9;
const MEBIBYTE = 1_048_576;

export interface Load {
  readonly tradesPerSecond: number;
  readonly instruments: number;
}

/** All with ten trades a second of each instrument, as they were measured. */
export const LOADS: readonly Load[] = [
  { tradesPerSecond: 10_000, instruments: 1_000 },
  { tradesPerSecond: 100_000, instruments: 10_000 },
  { tradesPerSecond: 1_000_000, instruments: 100_000 },
];

/** What a load needs, whole machines and processes rounded up. */
export interface Plan {
  readonly load: Load;
  readonly engines: number;
  readonly engineGigabytes: number;
  readonly partitions: number;
  readonly brokers: number;
  /** Of all brokers together, replicas included. */
  readonly logTerabytesPerDay: number;
  readonly brokerNetworkBytesPerSecond: number;
  readonly historyProcesses: number;
  readonly postgresCores: number;
  readonly postgresTerabytesPerDay: number;
  readonly latestProcesses: number;
  /** Redis has one thread for commands: above 1 its keys must be shared out. */
  readonly redisServers: number;
  readonly redisGigabytes: number;
}

export function planOf(costs: Costs, growth: readonly GrowthPoint[], load: Load): Plan {
  const { tradesPerSecond, instruments } = load;
  const { cpuUsPerTrade: cpu, bytesPerTrade: bytes } = costs;
  const cores = (us: number): number => (us * tradesPerSecond) / MICROSECONDS_PER_SECOND / UTILISATION;
  const engines = Math.ceil(cores(cpu.engine));
  const logBytes = bytes.tape + bytes.derived;
  // A follower fetches and writes what its leader does; each reader costs about what the history's reading does.
  const broker = (cpu.brokerWhileFilling + cpu.brokerWhileDeriving) * REPLICAS + cpu.brokerWhileHistoryReads * READERS;
  const network = tradesPerSecond * (logBytes * (2 * REPLICAS - 1) + bytes.tape + bytes.derived * READERS);
  return {
    load,
    engines,
    engineGigabytes:
      (costs.engineResidentBytes + (instruments / engines) * engineBytesPerInstrument(growth)) / GIGABYTE,
    partitions: engines * PARTITIONS_PER_ENGINE,
    brokers: Math.max(
      BROKERS_MIN,
      Math.ceil(cores(broker) / BROKER_CORES),
      Math.ceil(network / BROKER_NETWORK_BYTES / UTILISATION),
    ),
    logTerabytesPerDay: (logBytes * REPLICAS * tradesPerSecond * SECONDS_PER_DAY) / TERABYTE,
    brokerNetworkBytesPerSecond: network,
    historyProcesses: Math.ceil(cores(cpu.history)),
    postgresCores: Math.ceil(cores(cpu.postgres)),
    postgresTerabytesPerDay: (bytes.postgres * tradesPerSecond * SECONDS_PER_DAY) / TERABYTE,
    latestProcesses: Math.ceil(cores(cpu.latest)),
    redisServers: Math.ceil(cores(cpu.redis)),
    redisGigabytes: (costs.redisBytesPerInstrument * instruments) / GIGABYTE,
  };
}

/** From the least to the most instruments that were measured. */
function engineBytesPerInstrument(growth: readonly GrowthPoint[]): number {
  const curve = growth.filter((point) => point.curve === 'instruments').sort((left, right) => left.at - right.at);
  const [first, last] = [curve[0], curve.at(-1)];
  if (first === undefined || last === undefined || first === last) return 0;
  return (Math.max(0, last.residentMib - first.residentMib) * MEBIBYTE) / (last.at - first.at);
}

/** A resource that cannot simply be given another process, and the load at which it is used up. */
export interface Limit {
  readonly resource: string;
  readonly tradesPerSecond: number;
}

/** In the order in which they are reached. */
export function limitsOf({ cpuUsPerTrade: cpu }: Costs): readonly Limit[] {
  const perCores = (cores: number, us: number): number => (cores * UTILISATION * MICROSECONDS_PER_SECOND) / us;
  return [
    {
      resource: 'one Postgres server of 32 cores, for the history',
      tradesPerSecond: perCores(POSTGRES_CORES, cpu.postgres),
    },
    { resource: 'one Redis server, for the latest values', tradesPerSecond: perCores(1, cpu.redis) },
    { resource: 'one partition, and so one engine and one instrument', tradesPerSecond: perCores(1, cpu.engine) },
    { resource: 'one postgres-history process', tradesPerSecond: perCores(1, cpu.history) },
    { resource: 'one redis-latest process', tradesPerSecond: perCores(1, cpu.latest) },
  ].sort((left, right) => left.tradesPerSecond - right.tradesPerSecond);
}

const BEGIN = '<!-- Generated from bench/measured by `npm run bench -- --capacity`. -->';
const END = '<!-- End of the generated part. -->';
const PAGE = join(import.meta.dirname, '..', 'docs', 'capacity.md');

/** The page with its generated part renewed. @throws Error where the page has no such part. */
export function renewedPage(page: string, costs: Kept['costs'], growth: Kept['growth']): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('docs/capacity.md has no generated part');
  return `${page.slice(0, begin)}${BEGIN}\n\n${originOf(costs, growth)}\n\n${tablesOf(costs.costs, growth.points)}\n\n${page.slice(end)}`;
}

/** What the tables came from. */
function originOf({ machine, calibration, costs }: Kept['costs'], growth: Kept['growth']): string {
  const { trades = 0, tradesPerSnapshot = 0 } = costs[0] ?? {};
  const { processor = 'unknown processor', processors, node, load } = machine;
  const most = Math.max(...growth.points.filter(({ curve }) => curve === 'instruments').map(({ at }) => at));
  return [
    `Measured with ${trades.toLocaleString('en')} trades, ${tradesPerSnapshot} to a snapshot, once for each compression: ${processor}, ${processors} processors,`,
    `Node ${node}, a load of ${shown(load)}, and ${shown(calibration.median)} µs for a SHA-256 of 80 bytes (0.8 on a quiet machine). The memory of an`,
    `instrument is from [growth](benchmarks.md#growth), to ${most.toLocaleString('en')} instruments, at a load of ${shown(growth.machine.load)}.`,
  ].join('\n');
}

function tablesOf(costs: readonly Costs[], growth: readonly GrowthPoint[]): string {
  const [plain] = costs;
  if (plain === undefined) throw new Error('no costs were measured');
  const plans = LOADS.map((load) => planOf(plain, growth, load));
  const row = (name: string, value: (plan: Plan) => number, unit = ''): string[] => [
    name,
    ...plans.map((plan) => `${shown(value(plan))}${unit}`),
  ];
  const heads = [
    '',
    ...LOADS.map((load) => `${shown(load.tradesPerSecond)} trades/s, ${shown(load.instruments)} instruments`),
  ];
  return [
    '### What a load needs\n',
    markdown(heads, [
      row('engine processes, a core each', ({ engines }) => engines),
      row('memory of each', ({ engineGigabytes }) => engineGigabytes, ' GB'),
      row('partitions', ({ partitions }) => partitions),
      row('brokers of 16 cores', ({ brokers }) => brokers),
      row('log, three replicas, a day', ({ logTerabytesPerDay }) => logTerabytesPerDay, ' TB'),
      row('network of all brokers', ({ brokerNetworkBytesPerSecond: bytes }) => bytes / MEBIBYTE, ' MiB/s'),
      row('postgres-history processes', ({ historyProcesses }) => historyProcesses),
      row('cores of Postgres', ({ postgresCores }) => postgresCores),
      row('disk of Postgres, a day', ({ postgresTerabytesPerDay }) => postgresTerabytesPerDay, ' TB'),
      row('redis-latest processes', ({ latestProcesses }) => latestProcesses),
      row('Redis servers', ({ redisServers }) => redisServers),
      row('memory of Redis', ({ redisGigabytes }) => redisGigabytes, ' GB'),
    ]),
    '\n### What breaks first\n',
    markdown(
      ['resource', 'used up at'],
      limitsOf(plain).map(({ resource, tradesPerSecond }) => [resource, `${shown(tradesPerSecond)} trades/s`]),
    ),
    '\n### What a trade costs\n',
    markdown(['', ...costs.map(({ compression }) => nameOfCompression(compression))], costRows(costs)),
  ].join('\n');
}

function costRows(costs: readonly Costs[]): string[][] {
  const row = (name: string, value: (of: Costs) => number): string[] => [name, ...costs.map((of) => shown(value(of)))];
  return [
    row('derived events', ({ eventsPerTrade }) => eventsPerTrade),
    row('engine, µs', ({ cpuUsPerTrade }) => cpuUsPerTrade.engine),
    row('broker while the tape is written, µs', ({ cpuUsPerTrade }) => cpuUsPerTrade.brokerWhileFilling),
    row('broker while the engine works, µs', ({ cpuUsPerTrade }) => cpuUsPerTrade.brokerWhileDeriving),
    row('broker while postgres-history reads, µs', ({ cpuUsPerTrade }) => cpuUsPerTrade.brokerWhileHistoryReads),
    row('postgres-history, µs', ({ cpuUsPerTrade }) => cpuUsPerTrade.history),
    row('Postgres, µs', ({ cpuUsPerTrade }) => cpuUsPerTrade.postgres),
    row('redis-latest, µs', ({ cpuUsPerTrade }) => cpuUsPerTrade.latest),
    row('Redis, µs', ({ cpuUsPerTrade }) => cpuUsPerTrade.redis),
    row('tape, bytes', ({ bytesPerTrade }) => bytesPerTrade.tape),
    row('derived topics, bytes', ({ bytesPerTrade }) => bytesPerTrade.derived),
    row('Postgres with indexes, bytes', ({ bytesPerTrade }) => bytesPerTrade.postgres),
    row('trade → decision p99 at 5,000 trades/s, ms', ({ p99Ms }) => p99Ms),
  ];
}

function markdown(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Three significant digits: more were not measured. */
function shown(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

/** Renews docs/capacity.md from the kept measurements. */
export async function writeCapacity(): Promise<void> {
  const page = await readFile(PAGE, 'utf8');
  await writeFile(PAGE, renewedPage(page, kept('costs'), kept('growth')));
}
