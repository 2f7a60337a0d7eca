import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { VARIABLES, type VariableDefinition } from '../platform/security/variables.ts';

const REPOSITORY = join(import.meta.dirname, '..');

it('every variable of a service that code or pages name is one of the catalogue', () => {
  const known = new Set<string>(
    Object.entries<VariableDefinition>(VARIABLES).flatMap(([name, { secret }]) =>
      secret === true ? [name, `${name}_FILE`] : [name],
    ),
  );
  // Their names of passwords are their own.
  for (const file of ['docker-compose.yml', 'docker-compose.secure.yml']) {
    const composed = readFileSync(join(REPOSITORY, file), 'utf8');
    for (const [, name = ''] of composed.matchAll(/\$\{(TAPEPROOF_\w+)/g)) known.add(name);
  }
  const files = globSync(
    ['{bin,platform,stack,producers,evaluators,projectors,proofs}/**/*.ts', 'docs/*.md', 'README.md'],
    {
      cwd: REPOSITORY,
    },
  );
  const named = files.flatMap((file) =>
    [
      ...readFileSync(join(REPOSITORY, file), 'utf8').matchAll(
        /TAPEPROOF_(KAFKA|REGISTRY|POSTGRES|REDIS)_[A-Z_]*[A-Z]/g,
      ),
    ].map(([name]) => `${name} in ${file}`),
  );
  expect(named.length).toBeGreaterThan(known.size);
  expect(named.filter((use) => !known.has(use.split(' ')[0] ?? ''))).toEqual([]);
});
