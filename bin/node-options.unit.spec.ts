import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import options from './node-options.json' with { type: 'json' };

const LAUNCHER = join(import.meta.dirname, 'tapeproof.js');
const OURS = options.engine;
const SAID = '--import=data:text/javascript,console.error(process.env.NODE_OPTIONS)';

/** The options of the Node that runs the command. */
function optionsOf(words: readonly string[], theirs: string): string | undefined {
  const env = { ...process.env, NODE_OPTIONS: `${theirs} ${SAID}`.trim() };
  // The launcher's Node says its own first.
  return spawnSync(process.execPath, [LAUNCHER, ...words], { env, encoding: 'utf8' })
    .stderr.trim()
    .split('\n')
    .at(1);
}

describe('the options of Node', () => {
  it('are those of the command, and the user’s after them', () => {
    expect(optionsOf(['engine', '--help'], '')).toBe(`${OURS} ${SAID}`);
    expect(optionsOf(['engine', '--help'], '--max-semi-space-size=32')).toBe(
      `${OURS} --max-semi-space-size=32 ${SAID}`,
    );
    expect(optionsOf(['projector', '--help'], '')).toBe(SAID);
  });

  it('are none for a word that every object knows', () => {
    expect(optionsOf(['constructor', '--help'], '')).toBe(SAID);
  });
});
