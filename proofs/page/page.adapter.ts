import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';

const read = (name: string): Promise<string> => readFile(join(import.meta.dirname, name), 'utf8');

/**
 * The page that checks proofs in a browser, as one file: it may run its own script and style, known by their hashes, and
 * connect to nothing.
 */
export async function proofPage(): Promise<string> {
  const [template, style, glue] = await Promise.all([read('page.html'), read('page.css'), read('page.js')]);
  const script = `\n${await browserScript()}\n${glue}`;
  const policy = [
    "default-src 'none'",
    `script-src '${sourceHash(script)}'`,
    `style-src '${sourceHash(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return template
    .replace('POLICY', policy)
    .replace(/<style>[^]*<\/style>/, () => `<style>${style}</style>`)
    .replace(/<script type="module">[^]*<\/script>/, () => `<script type="module">${script}</script>`);
}

/** The verification as JavaScript. */
export async function browserScript(): Promise<string> {
  return stripTypeScriptTypes(await read('verify-in-browser.ts')).replace(/[ \t]+$/gm, '');
}

/** As a content security policy names what may run. */
function sourceHash(source: string): string {
  return `sha256-${hash('sha256', source, 'base64')}`;
}
