import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Costs } from './costs.ts';
import type { Figure } from './figure.ts';
import type { GrowthPoint } from './growth.ts';

/** Where something was measured. */
export interface Machine {
  readonly processor: string | undefined;
  readonly processors: number;
  readonly node: string;
  /** Of the last minute, at the end. */
  readonly load: number;
}

/** Measurements that pages of docs/ are made of, committed so that plots and plans can be made again without measuring. */
export interface Kept {
  readonly growth: { readonly machine: Machine; readonly points: readonly GrowthPoint[] };
  readonly costs: { readonly machine: Machine; readonly calibration: Figure; readonly costs: readonly Costs[] };
}

function fileOf(name: keyof Kept): string {
  return join(import.meta.dirname, 'measured', `${name}.json`);
}

export async function keep<Name extends keyof Kept>(name: Name, content: Kept[Name]): Promise<void> {
  await mkdir(join(import.meta.dirname, 'measured'), { recursive: true });
  await writeFile(fileOf(name), `${JSON.stringify(content, null, 2)}\n`);
}

export function kept<Name extends keyof Kept>(name: Name): Kept[Name] {
  return JSON.parse(readFileSync(fileOf(name), 'utf8')) as Kept[Name];
}
