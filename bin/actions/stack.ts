import Table from 'cli-table3';
import {
  endpointsFile,
  stackDown,
  stackOptionsFromEnvironment,
  stackReset,
  stackStatus,
  stackUp,
  withoutPasswords,
  type BrokerCount,
  type StackOptions,
} from '../../stack/main.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';
import { stackProgress } from '../progress.ts';
import { announcedProcesses } from '../status/processes.ts';

const BYTES_PER_MEBIBYTE = 1_048_576;

export interface StackUpOptions extends JsonOption {
  readonly secure?: true;
  readonly brokers?: BrokerCount;
}

export async function bringUp({ secure, brokers, json }: StackUpOptions): Promise<void> {
  const options = {
    ...stackOptionsFromEnvironment(process.env),
    secure: secure === true,
    ...(brokers === undefined ? {} : { brokers }),
  };
  const endpoints = withoutPasswords(await stackUp(options, stackProgress()));
  print(json, endpoints, () =>
    [
      ...Object.entries(endpoints).map(([name, value]) => `${name.padEnd(20)} ${value}`),
      `With passwords, readable only by you: ${endpointsFile(options.folder)}`,
    ].join('\n'),
  );
}

export async function bringDown({ json }: JsonOption): Promise<void> {
  const options = stackOptionsFromEnvironment(process.env);
  await stackDown(options, stackProgress());
  await printWhatIsLeft(options, json);
}

export async function reset({ json }: JsonOption): Promise<void> {
  const options = stackOptionsFromEnvironment(process.env);
  await stackReset(options, stackProgress());
  sayWhoRuns(options);
  await printWhatIsLeft(options, json);
}

/** Processes outlive their services: after a reset with passwords that the next stack does not have. */
function sayWhoRuns({ folder }: StackOptions): void {
  const running = announcedProcesses(folder).map(({ name, pid }) => `${name} (pid ${pid ?? 'unknown'})`);
  if (running.length === 0) return;
  process.stderr.write(
    `Still running: ${running.join(', ')}. Stop them, and start them again after "npx tapeproof stack up": it makes new passwords.\n`,
  );
}

/** For people each step was reported as it was done. */
async function printWhatIsLeft(options: StackOptions, json: true | undefined): Promise<void> {
  if (json === true) print(json, await stackStatus(options), () => '');
}

/** Which services run, and why the others do not. */
export async function printStackStatus({ json }: JsonOption): Promise<void> {
  const services = await stackStatus(stackOptionsFromEnvironment(process.env));
  print(json, services, () => {
    const table = new Table({ head: ['service', 'state', 'pid', 'port', 'resident'], style: { head: [], border: [] } });
    for (const { name, state, pid, port, residentBytes } of services) {
      const resident = residentBytes === undefined ? '' : `${Math.round(residentBytes / BYTES_PER_MEBIBYTE)} MiB`;
      table.push([name, state, pid ?? '', port, resident]);
    }
    const reasons = services.flatMap(({ name, detail }) => (detail === undefined ? [] : [`${name}: ${detail}`]));
    return [table.toString(), ...reasons].join('\n');
  });
  if (services.some((service) => service.state !== 'running')) process.exitCode = 3;
}
