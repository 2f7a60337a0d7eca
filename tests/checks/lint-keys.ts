import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** Reads a file by its path from the repository's root, with forward slashes; undefined where there is none. */
export type ReadText = (path: string) => string | undefined;

/**
 * A key for each file under which its lint result may be cached. Type-aware rules also see what a file imports,
 * directly or not: so the key covers the file, all its imports, and the inputs common to every file.
 *
 * @param common rules, compiler options, installed packages, version of Node
 */
export function lintKeys(paths: readonly string[], read: ReadText, common: string): ReadonlyMap<string, string> {
  const files = new Map<string, FileFacts | undefined>();
  const factsOf = (path: string): FileFacts | undefined => {
    if (!files.has(path)) files.set(path, factsFrom(path, read));
    return files.get(path);
  };
  // Global declarations of a file are part of the inputs common to every file.
  const globals = paths.filter((path) => factsOf(path)?.declaresGlobals === true);
  const shared = digestOf([common, ...globals.map((path) => factsOf(path)?.digest ?? '')]);
  return new Map(
    paths.map((path) => {
      const reached = [...reachedFrom(path, factsOf)].sort();
      const parts = reached.map((each) => `${each} ${factsOf(each)?.digest ?? 'is missing'}`);
      return [path, digestOf([shared, path, ...parts])];
    }),
  );
}

interface FileFacts {
  readonly digest: string;
  /** Paths of the files of this repository that it imports, whether they exist or not. */
  readonly imports: readonly string[];
  readonly declaresGlobals: boolean;
}

function factsFrom(path: string, read: ReadText): FileFacts | undefined {
  const text = read(path);
  if (text === undefined) return undefined;
  const { importedFiles } = ts.preProcessFile(text, true, true);
  const imports = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'));
  return {
    digest: digestOf([text]),
    imports: imports.map((name) => join(dirname(path), name)),
    declaresGlobals: /^\s*declare (?:global|module)\b/m.test(text),
  };
}

function reachedFrom(path: string, factsOf: (path: string) => FileFacts | undefined): ReadonlySet<string> {
  const reached = new Set([path]);
  // Iterating a Set includes elements added meanwhile.
  for (const each of reached) for (const imported of factsOf(each)?.imports ?? []) reached.add(imported);
  return reached;
}

function digestOf(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length} ${part}\n`);
  return hash.digest('hex');
}
