import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ROLES } from './kafka-principals.ts';
import type { ServiceName, StackEndpoints } from './options.ts';
import { privateFolder, readJson, writePrivateJson } from './private-file.ts';

const ServiceRecord = z.object({ pid: z.number(), started: z.string(), ports: z.array(z.number()).min(1) });
/** The record of a started service: its process and its ports. */
export type ServiceRecord = Readonly<z.infer<typeof ServiceRecord>>;

const Endpoints = z.object({
  kafkaBrokers: z.string(),
  registryUrl: z.string(),
  postgresUrl: z.string(),
  postgresMigratorUrl: z.string(),
  postgresReaderUrl: z.string(),
  redisUrl: z.string(),
  bitstampTradesFile: z.string(),
  settings: z.partialRecord(z.enum(ROLES), z.record(z.string(), z.string())).exactOptional(),
});

/** Name of the file in a service's folder that identifies its process. */
export const PROCESS_RECORD = 'process.json';

export function serviceFolder(stackFolder: string, name: ServiceName): string {
  return join(stackFolder, name);
}

export function serviceLog(stackFolder: string, name: ServiceName): string {
  return join(stackFolder, 'logs', `${name}.log`);
}

/** The record of a service, or undefined where it was never started, was stopped, or its record is unreadable. */
export function readServiceRecord(stackFolder: string, name: ServiceName): ServiceRecord | undefined {
  return readJson(recordFile(stackFolder, name), ServiceRecord);
}

export async function writeServiceRecord(stackFolder: string, name: ServiceName, record: ServiceRecord): Promise<void> {
  await writePrivateJson(recordFile(stackFolder, name), record);
}

export async function removeServiceRecord(stackFolder: string, name: ServiceName): Promise<void> {
  await rm(recordFile(stackFolder, name), { force: true });
}

function recordFile(stackFolder: string, name: ServiceName): string {
  return join(serviceFolder(stackFolder, name), PROCESS_RECORD);
}

/** The addresses of the stack in this folder, or undefined when none was brought up there. */
export function readEndpoints(stackFolder: string): StackEndpoints | undefined {
  return readJson(endpointsFile(stackFolder), Endpoints);
}

export async function writeEndpoints(stackFolder: string, endpoints: StackEndpoints): Promise<void> {
  await privateFolder(stackFolder);
  await writePrivateJson(endpointsFile(stackFolder), endpoints);
}

export async function removeEndpoints(stackFolder: string): Promise<void> {
  await rm(endpointsFile(stackFolder), { force: true });
}

/** Holds passwords: only the stack's owner may read it. */
export function endpointsFile(stackFolder: string): string {
  return join(stackFolder, 'endpoints.json');
}
