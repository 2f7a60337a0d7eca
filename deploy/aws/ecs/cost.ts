/**
 * What a deployment costs a month before traffic, by list prices on demand in us-east-1 as they were known in November 2026:
 * other regions differ by some 20 %, and prices change. It is for an order of magnitude, and for what the money goes to.
 */
import { PROCESSES } from '../../services.ts';
import { fargateSize } from './services.ts';
import { AURORA_ACU_MIN, SIZES, type Size } from './settings.ts';

const HOURS_A_MONTH = 730;
const BROKERS = 3;
const ZONES = 3;
const REDIS_NODES = 2;
const AURORA_INSTANCES = 2;
const MIB_A_GIB = 1_024;
const CPU_UNITS = 1_024;

/** US dollars an hour, or a GiB and month where it says so. */
const PRICES = {
  broker: { 'kafka.m7g.large': 0.204, 'kafka.m7g.2xlarge': 0.816 },
  brokerStorageGibMonth: 0.1,
  auroraAcu: 0.12,
  redis: { 'cache.t4g.small': 0.0256, 'cache.m7g.large': 0.126, 'cache.r7g.large': 0.175 },
  fargateCpu: 0.03238,
  fargateGib: 0.00356,
  natGateway: 0.045,
  loadBalancer: 0.0225,
  keysSecretsLogsMonth: 60,
} as const;

export interface CostLine {
  readonly what: string;
  readonly usdAMonth: number;
}

/** @param isBusy with all engines and Aurora at its greatest capacity; else as it idles. */
export function monthlyCost(size: Size, isBusy: boolean): readonly CostLine[] {
  const { brokerType, brokerStorageGib, auroraAcuMax, redisType, enginesMax } = SIZES[size];
  const hourly = (what: string, usd: number): CostLine => ({ what, usdAMonth: Math.round(usd * HOURS_A_MONTH) });
  return [
    hourly(`3 brokers ${brokerType}`, BROKERS * PRICES.broker[brokerType]),
    {
      what: `3 × ${brokerStorageGib} GiB of log`,
      usdAMonth: Math.round(BROKERS * brokerStorageGib * PRICES.brokerStorageGibMonth),
    },
    hourly('Aurora, 2 instances', AURORA_INSTANCES * (isBusy ? auroraAcuMax : AURORA_ACU_MIN) * PRICES.auroraAcu),
    hourly(`2 nodes ${redisType}`, REDIS_NODES * PRICES.redis[redisType]),
    hourly('processes on Fargate', processesHourly(isBusy ? enginesMax : 0)),
    hourly('ways out of 3 zones and the load balancer', ZONES * PRICES.natGateway + PRICES.loadBalancer),
    { what: 'keys, secrets, logs, alarms', usdAMonth: PRICES.keysSecretsLogsMonth },
  ];
}

function processesHourly(engines: number): number {
  return PROCESSES.reduce((sum, { replicas, resources }) => {
    const [cpu, memoryMib] = fargateSize(resources);
    const each = (cpu / CPU_UNITS) * PRICES.fargateCpu + (memoryMib / MIB_A_GIB) * PRICES.fargateGib;
    const count = replicas.kind === 'fixed' ? replicas.count : Math.max(replicas.min, Math.min(replicas.max, engines));
    return sum + count * each;
  }, 0);
}

/** The table of docs/operations.md. */
export function costTable(): string {
  const sizes = Object.keys(SIZES) as Size[];
  const lines = sizes.map((size) => {
    const total = (isBusy: boolean) => monthlyCost(size, isBusy).reduce((sum, { usdAMonth }) => sum + usdAMonth, 0);
    const [brokers, storage] = monthlyCost(size, false);
    return `| ${size} | ${brokers?.what ?? ''} | ${storage?.what ?? ''} | ${SIZES[size].auroraAcuMax} | ${SIZES[size].redisType} | ${total(false)} | ${total(true)} |`;
  });
  return `| size | brokers | log | Aurora, units at most | Redis | idle, USD a month | busy, USD a month |
| --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}`;
}
