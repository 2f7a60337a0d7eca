import dockerignore from '@balena/dockerignore';
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..', '..');
/** Large folders that `.dockerignore` leaves out. */
const NEVER_SENT = new Set(['node_modules', '.git', '.tapeproof']);
const BUILT_PAGE = join('dashboard', 'web', 'dist');

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/** The files that `.dockerignore` lets into an image. */
export function filesOfImage(): string[] {
  const rules = dockerignore.default().add(readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8'));
  return rules.filter(filesBelow(''));
}

function filesBelow(folder: string, without = NEVER_SENT): string[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true }).flatMap((entry) => {
    if (without.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path, without) : [path];
  });
}

/** A package within another one has its own entry in the lockfile; deeper, such a folder is a part of the package. */
function filesOfPackage(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return entry.name === 'node_modules' ? [] : filesBelow(path, new Set());
  });
}

/** The folders of packages that `npm ci --omit=dev --omit=optional` installs, by the lockfile. */
export function packagesOfImage(): string[] {
  const { packages } = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
    .map(([path]) => path);
}

/** Puts what an image has below /app into a folder, without a container engine or a registry. */
export function makeImageTree(folder: string): void {
  const built = existsSync(join(REPOSITORY, BUILT_PAGE)) ? filesBelow(BUILT_PAGE) : [];
  for (const path of [...filesOfImage(), ...packagesOfImage().flatMap(filesOfPackage), ...built]) place(path, folder);
}

/** Linked where that is possible, which costs nothing. */
function place(path: string, folder: string): void {
  const to = join(folder, path);
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(join(REPOSITORY, path), to);
  } catch {
    copyFileSync(join(REPOSITORY, path), to);
  }
}
