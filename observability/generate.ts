/** Writes the files of this folder that follow from the catalogues; with --check only compares, and exits 1 on drift. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DASHBOARDS } from './dashboards/catalogue.ts';
import { dashboardOf } from './dashboards/dashboard.ts';
import { indexTemplate, ingestPipeline } from './index-template.ts';
import { alertsPage, rulesFile, rulesTestFile } from './prometheus-files.ts';
import { savedObjects } from './saved-searches.ts';

const JSON_INDENT = 2;
const json = (value: unknown) => `${JSON.stringify(value, null, JSON_INDENT)}\n`;

const files: Readonly<Record<string, string>> = {
  'prometheus/tapeproof.rules.yml': rulesFile(),
  'prometheus/tapeproof.rules.test.yml': rulesTestFile(),
  '../docs/alerts.md': alertsPage(),
  'elastic/index-template.json': json(indexTemplate()),
  'elastic/ingest-pipeline.json': json(ingestPipeline()),
  'elastic/saved-searches.ndjson': savedObjects(),
  ...Object.fromEntries(
    DASHBOARDS.map((definition) => [`grafana/dashboards/${definition.uid}.json`, json(dashboardOf(definition))]),
  ),
};
for (const [name, text] of Object.entries(files)) {
  const path = join(import.meta.dirname, name);
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    console.error(`observability/${name} differs from its catalogue: run "npm run generate" and commit it.`);
    process.exitCode = 1;
  }
}
