import { createRegistry } from '../../platform/kafka/registry.ts';
import type { JsonOption } from '../commands/options.ts';
import { connections, print } from '../context.ts';

export async function registerContracts({ json }: JsonOption): Promise<void> {
  const report = await createRegistry(connections().registryUrl).register();
  print(json, report, () => report.map(({ subject, id }) => `${subject.padEnd(48)} id ${id}`).join('\n'));
}

export async function checkContracts({ json }: JsonOption): Promise<void> {
  const drift = await createRegistry(connections().registryUrl).check();
  print(json, drift, () =>
    drift.length === 0
      ? 'All schemas are registered.'
      : drift.map(({ subject, problem }) => `${subject}: ${problem}`).join('\n'),
  );
  if (drift.length > 0) process.exitCode = 1;
}
