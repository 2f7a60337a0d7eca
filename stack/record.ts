import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ServiceName, StackEndpoints } from './options.ts';
import { ROLES } from './security.ts';

const ServiceRecord = z.object({ pid: z.number(), started: z.string(), ports: z.array(z.number()).min(1) });
/** What is known of a service that was started: its process and the ports it was given. */
export type ServiceRecord = Readonly<z.infer<typeof ServiceRecord>>;

const Endpoints = z.object({
  kafkaBrokers: z.string(),
  registryUrl: z.string(),
  postgresUrl: z.string(),
  redisUrl: z.string(),
  bitstampTradesFile: z.string(),
  settings: z.record(z.enum(ROLES), z.record(z.string(), z.string())).exactOptional(),
});

export function serviceFolder(stackFolder: string, name: ServiceName): string {
  return join(stackFolder, name);
}

export function serviceLog(stackFolder: string, name: ServiceName): string {
  return join(stackFolder, 'logs', `${name}.log`);
}

/** The record of a service, or undefined where it was never started, was stopped, or the record is not readable. */
export function readServiceRecord(stackFolder: string, name: ServiceName): ServiceRecord | undefined {
  return readChecked(recordFile(stackFolder, name), ServiceRecord);
}

export async function writeServiceRecord(stackFolder: string, name: ServiceName, record: ServiceRecord): Promise<void> {
  await writeWhole(recordFile(stackFolder, name), record);
}

export async function removeServiceRecord(stackFolder: string, name: ServiceName): Promise<void> {
  await rm(recordFile(stackFolder, name), { force: true });
}

function recordFile(stackFolder: string, name: ServiceName): string {
  return join(serviceFolder(stackFolder, name), 'process.json');
}

/** Where the stack in this folder answers, or undefined when none was brought up there. */
export function readEndpoints(stackFolder: string): StackEndpoints | undefined {
  return readChecked(endpointsFile(stackFolder), Endpoints);
}

export async function writeEndpoints(stackFolder: string, endpoints: StackEndpoints): Promise<void> {
  await mkdir(stackFolder, { recursive: true });
  await writeWhole(endpointsFile(stackFolder), endpoints);
}

export async function removeEndpoints(stackFolder: string): Promise<void> {
  await rm(endpointsFile(stackFolder), { force: true });
}

function endpointsFile(stackFolder: string): string {
  return join(stackFolder, 'endpoints.json');
}

function readChecked<T>(file: string, shape: z.ZodType<T>): T | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return shape.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    // Cut short by a full disk or a crash: as good as none.
    return undefined;
  }
}

async function writeWhole(file: string, value: unknown): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`);
  await rename(`${file}.new`, file);
}
