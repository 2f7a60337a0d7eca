/** Writes deploy/kubernetes from the list of services; with --check only compares, and exits 1 on drift. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubernetesFiles } from './charts.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'kubernetes');

for (const [name, text] of Object.entries(kubernetesFiles())) {
  const path = join(FOLDER, name);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`deploy/kubernetes/${name} differs from deploy/services.ts: run "node deploy/aws/eks/generate.ts".`);
    process.exitCode = 1;
  }
}
