/** Writes the files of a deployment from deploy/services.ts; with --check only compares, and exits 1 on drift. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeText, prometheusText } from './compose/compose.ts';
import { SECURED_FILE, securedText } from './compose/secured.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const files = {
  'docker-compose.yml': composeText(),
  [SECURED_FILE]: securedText(),
  'deploy/compose/prometheus.yml': prometheusText(),
};

for (const [name, text] of Object.entries(files)) {
  const path = join(REPOSITORY, name);
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${name} differs from deploy/services.ts: run "npm run generate" and commit it.`);
    process.exitCode = 1;
  }
}
