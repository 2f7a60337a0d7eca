import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followDocument, type FollowedDocument } from './support/document.ts';

describe('docs/add-a-venue.md, followed word for word', () => {
  let project: FollowedDocument;

  beforeAll(async () => {
    project = await followDocument('docs/add-a-venue.md');
  });
  afterAll(async () => {
    await project.remove();
  });

  it('has the reader write one file and change one', () => {
    expect(project.files).toEqual(['producers/venues/sample-exchange/venue.ts', 'producers/venues/catalogue.ts']);
  });

  it('gives a venue that the shared suite takes in and passes', async () => {
    const { exitCode, output } = await project.run(
      ...['vitest', 'run', '--project', 'fast', 'producers/venues', '--reporter', 'verbose'],
    );
    expect(output).toContain('sample-exchange');
    expect(exitCode, output).toBe(0);
  });

  it('gives code that passes the type checker and the linter', { timeout: 900_000 }, async () => {
    for (const words of [
      ['tsc', '--noEmit'],
      ['eslint', ...project.files],
    ]) {
      const { exitCode, output } = await project.run(words[0] ?? '', ...words.slice(1));
      expect(exitCode, output).toBe(0);
    }
  });

  it('is offered at the command line', async () => {
    const { exitCode, output } = await project.tapeproof('ingest', 'venues', '--json');
    expect(exitCode, output).toBe(0);
    expect(output).toContain('An exchange that exists only on this page');
  });
});
