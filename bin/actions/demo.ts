import { runDemo } from '../demo/demo.ts';
import { interruption } from '../interruption.ts';

export interface DemoCommandOptions {
  readonly down?: true;
  readonly yes?: true;
  readonly json?: true;
}

export async function demo({ down, yes, json }: DemoCommandOptions): Promise<void> {
  const signal = interruption();
  await runDemo({ signal, json: json === true, down: down === true, yes: yes === true });
  if (signal.aborted) process.exitCode = 130;
}
