import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readYaml } from './yaml-file.ts';

/** Each line names the one before ten times: ten thousand million values. */
const ALIASES = ['a0: &a0 x']
  .concat(Array.from({ length: 10 }, (_, depth) => `a${depth + 1}: &a${depth + 1} [${`*a${depth}, `.repeat(10)}]`))
  .join('\n');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-yaml-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function read(text: string): Promise<unknown> {
  const path = join(folder, 'file.yaml');
  await writeFile(path, text);
  return await readYaml(path, 'configuration');
}

describe('a YAML file', () => {
  it('is what it holds', async () => {
    expect(await read('a: 1\nb: [x, y]\n')).toEqual({ a: 1, b: ['x', 'y'] });
  });

  it.each([
    ['a key occurs twice', 'a: 1\na: 2\n', 'file.yaml line 2: Map keys must be unique.'],
    ['a tag is not known', 'a: !who 1\n', 'file.yaml line 1: Unresolved tag: !who.'],
    ['aliases multiply', ALIASES, 'file.yaml: Excessive alias count indicates a resource exhaustion attack'],
  ])('is refused in a sentence where %s', async (_name, text, sentence) => {
    await expect(read(text)).rejects.toThrow(sentence);
    await expect(read(text)).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('that does not exist is named', async () => {
    const path = join(folder, 'none.yaml');
    await expect(readYaml(path, 'context configuration')).rejects.toThrow(
      `The context configuration ${path} cannot be read (ENOENT): name one with --config.`,
    );
  });

  it('that may hold a secret is not repeated', async () => {
    const path = join(folder, 'secret.yaml');
    await writeFile(path, 'a: *sesame\n');
    await expect(readYaml(path, 'configuration', () => 'it is not valid YAML.')).rejects.toThrow(
      `${path}: it is not valid YAML.`,
    );
  });
});
