import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followDocument, type FollowedDocument } from './support/document.ts';

describe('docs/add-a-strategy.md, followed word by word', () => {
  let project: FollowedDocument;

  beforeAll(async () => {
    project = await followDocument('docs/add-a-strategy.md');
  });
  afterAll(async () => {
    await project.remove();
  });

  it('has the reader write one file and change one', () => {
    expect(project.files).toEqual(['evaluators/strategies/value-area-return.ts', 'evaluators/strategies/registry.ts']);
  });

  it('gives a strategy that the shared suite takes in and passes', async () => {
    const { exitCode, output } = await project.run(
      'vitest',
      'run',
      '--project',
      'fast',
      'evaluators/strategies',
      '--reporter',
      'verbose',
    );
    expect(output).toContain('VALUE_AREA_RETURN');
    expect(exitCode, output).toBe(0);
  });

  it('gives code that passes the type checker', async () => {
    const { exitCode, output } = await project.run('tsc', '--noEmit');
    expect(exitCode, output).toBe(0);
  });

  it('needs a new engine version, as step 4 says', async () => {
    const { exitCode, output } = await project.run('vitest', 'run', '--project', 'fast', 'evaluators/derive');
    expect(output).toContain('ENGINE_VERSION');
    expect(exitCode, output).not.toBe(0);
  });
});
