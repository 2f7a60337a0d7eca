import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followDocument, type FollowedDocument } from './support/document.ts';

describe('docs/add-a-projector.md, followed word for word', () => {
  let project: FollowedDocument;

  beforeAll(async () => {
    project = await followDocument('docs/add-a-projector.md');
  });
  afterAll(async () => {
    await project.remove();
  });

  it('has the reader write one file and change one', () => {
    expect(project.files).toEqual(['projectors/hit-counts/projector.ts', 'projectors/catalogue.ts']);
  });

  it('gives a projector that the shared suite takes in and passes', async () => {
    const { exitCode, output } = await project.run(
      ...['vitest', 'run', '--project', 'fast', 'projectors/projectors', '--reporter', 'verbose'],
    );
    expect(output).toContain('projector hit-counts');
    expect(exitCode, output).toBe(0);
  });

  it('gives code that passes the type checker and the linter', { timeout: 900_000 }, async () => {
    const types = await project.run('tsc', '--noEmit');
    expect(types.exitCode, types.output).toBe(0);
    const lint = await project.run('eslint', ...project.files);
    expect(lint.exitCode, lint.output).toBe(0);
  });
});
