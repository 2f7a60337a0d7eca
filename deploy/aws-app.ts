/**
 * Checks or generates what the package deploy/aws makes, where it is installed; else it says that it was passed over.
 * Words: types, generated, generate.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..');
const COMMANDS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  types: [['node_modules/typescript/bin/tsc', '--noEmit', '--project', 'deploy/aws']],
  generated: [
    ['deploy/aws/eks/generate.ts', '--check'],
    ['deploy/aws/certificates.ts', '--check'],
  ],
  generate: [['deploy/aws/eks/generate.ts'], ['deploy/aws/certificates.ts']],
};

const asked = process.argv[2] ?? '';
if (existsSync(join(REPOSITORY, 'deploy', 'aws', 'node_modules'))) {
  for (const words of COMMANDS[asked] ?? []) {
    const { status } = spawnSync(process.execPath, words, { cwd: REPOSITORY, stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
} else {
  console.warn(`deploy/aws is not installed, so its ${asked} are passed over: run "npm ci" there.`);
}
