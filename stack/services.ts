import { kafkaBrokers } from './kafka.ts';
import type { ServiceName } from './options.ts';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import { registry } from './registry.ts';
import type { Service } from './service.ts';

/** Every service that a stack may have. */
export const SERVICES: Readonly<Record<ServiceName, Service>> = { ...kafkaBrokers, registry, postgres, redis };
