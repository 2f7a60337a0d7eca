import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_VERSION } from '../evaluators/configuration.ts';
import { followDocument, type FollowedDocument } from './support/document.ts';

/** The version that step 4 has the reader write. */
const NEXT = String(Number(ENGINE_VERSION) + 1);

describe('docs/add-a-strategy.md, followed word for word', () => {
  let project: FollowedDocument;

  beforeAll(async () => {
    project = await followDocument('docs/add-a-strategy.md');
  });
  afterAll(async () => {
    await project.remove();
  });

  it('has the reader write one file and change one', () => {
    expect(project.files).toEqual(['evaluators/strategies/value-area-return.ts', 'evaluators/strategies/catalogue.ts']);
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

  it('gives code that passes the type checker', { timeout: 900_000 }, async () => {
    const { exitCode, output } = await project.run('tsc', '--noEmit');
    expect(exitCode, output).toBe(0);
  });

  it('changes the golden digest and fails no other test, as step 4 says', { timeout: 900_000 }, async () => {
    const { output, tests, failed } = await evaluatorTests();
    expect(tests).toBeGreaterThan(100);
    expect(failed, output).toEqual(['derive derives the committed bytes from the committed trades']);
    expect(output).toContain('ENGINE_VERSION');
  });

  it('passes all of them with a new engine version and the line that the golden test then names', async () => {
    await edit('evaluators/configuration.ts', `ENGINE_VERSION = '${ENGINE_VERSION}'`, `ENGINE_VERSION = '${NEXT}'`);
    const { output } = await evaluatorTests('derive');
    const [line = ''] = /'\d+': '[0-9a-f]{64}',/.exec(output) ?? [];
    await edit('evaluators/derive.unit.spec.ts', '\n};\n', `\n  ${line}\n};\n`);
    expect((await evaluatorTests()).failed).toEqual([]);
  });

  /** Runs the engine's fast tests, or some of them: how many there are, and the full names of those that failed. */
  async function evaluatorTests(
    which = '',
  ): Promise<{ readonly output: string; readonly tests: number; readonly failed: readonly string[] }> {
    const report = join(project.folder, 'report.json');
    const words = ['run', '--project', 'fast', `evaluators/${which}`, '--reporter', 'default', '--reporter', 'json'];
    const { output } = await project.run('vitest', ...words, '--outputFile.json', report);
    const { testResults } = JSON.parse(await readFile(report, 'utf8')) as {
      readonly testResults: readonly {
        readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
      }[];
    };
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    const failed = tests.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
    return { output, tests: tests.length, failed };
  }

  async function edit(file: string, from: string, to: string): Promise<void> {
    const path = join(project.folder, file);
    const text = await readFile(path, 'utf8');
    expect(text).toContain(from);
    await writeFile(path, text.replace(from, to));
  }
});
