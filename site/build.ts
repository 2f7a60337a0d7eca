/** Builds the site of docs into site/dist, where its tool is installed; else it says that it was passed over. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CONTENTS } from './contents.ts';
import { stagedSite, StagingError } from './staging.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const PAGES_FOLDER = join(import.meta.dirname, 'pages');
const TOOL = join(import.meta.dirname, 'node_modules', '@rspress', 'core', 'bin', 'rspress.js');

if (existsSync(TOOL)) {
  try {
    writePages();
    process.exitCode = build();
  } catch (error) {
    if (!(error instanceof StagingError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
} else {
  console.warn('The site of docs is passed over: run "npm ci --prefix site" to have its tool.');
}

/** @returns the exit code: 1 also where a link of a page is dead */
function build(): number {
  const { status, stdout, stderr } = spawnSync(process.execPath, [TOOL, 'build'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1' },
  });
  // Its own report is some hundred lines of file sizes: it is of use only where the build failed.
  if (status === 0) console.log('The site of docs is in site/dist; to look at it: npm run preview:site');
  else console.error(stdout + stderr);
  return status ?? 1;
}

/** Everything that the tool reads is made anew: a page that no longer exists must not stay. */
function writePages(): void {
  rmSync(PAGES_FOLDER, { recursive: true, force: true });
  const listed = CONTENTS.flatMap(({ pages }) => pages);
  const { pages, copies } = stagedSite(listed, {
    exists: (path) => existsSync(join(REPOSITORY, path)),
    textOf: (path) => readFileSync(join(REPOSITORY, path), 'utf8'),
  });
  for (const [path, text] of pages) {
    const file = join(PAGES_FOLDER, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  cpSync(join(REPOSITORY, 'dashboard', 'web', 'icon.svg'), join(PAGES_FOLDER, 'public', 'icon.svg'));
  for (const [path, source] of copies) cpSync(join(REPOSITORY, source), join(PAGES_FOLDER, path));
}
