import { kafka } from './kafka.ts';
import type { ServiceName } from './options.ts';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import { registry } from './registry.ts';
import type { Service } from './service.ts';

/** Every service of the stack. */
export const SERVICES: Readonly<Record<ServiceName, Service>> = { kafka, registry, postgres, redis };
