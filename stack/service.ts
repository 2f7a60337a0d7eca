import type { Cluster } from './cluster.ts';
import type { ServiceName, StackOptions, StackPorts } from './options.ts';
import type { PartName } from './parts.ts';
import type { Command } from './process.ts';
import type { SecuredSecrets, StackSecrets } from './secrets.ts';
import type { ServiceUser } from './service-user.ts';

/** The resources of a service while it prepares its start. */
export interface ServiceSetting {
  readonly options: StackOptions;
  /** The service's own folder, for its data and configuration. It exists. */
  readonly folder: string;
  /** The folder of a downloaded part, fetched when missing, readable by the user that the service runs as. */
  readonly part: (name: PartName) => Promise<string>;
  readonly secrets: StackSecrets;
  /** Kafka's cluster. */
  readonly cluster: Cluster;
  /** The user that the service is started as; undefined: this process's user. */
  readonly user: ServiceUser | undefined;
  /** A folder of programs, or a copy of it, that the user can read. */
  readonly lend: (folder: string) => Promise<string>;
  /** Gives the content of `folder` to the user. Repeated after `prepare`. */
  readonly handOver: () => Promise<void>;
}

/** One service of the stack: how it is prepared, started, probed and ended. */
export interface Service {
  readonly name: ServiceName;
  readonly title: string;
  /** Services that must answer before this one is started, where the stack has them. */
  readonly needs: readonly ServiceName[];
  readonly stopSignal: NodeJS.Signals;
  readonly startDeadlineMs: number;
  readonly stopDeadlineMs: number;
  /** A log line of a failed start that is worth retrying. */
  readonly passingFailure?: RegExp;
  /** The ports that it listens on; clients use the first. */
  ports(ports: StackPorts): readonly number[];
  /** First-time initialisation and configuration; returns the command that runs the service in the foreground. */
  prepare(setting: ServiceSetting): Promise<Command>;
  /** Resolves if the service is working; rejects with the reason if not. Bounded by its own timeout. */
  probe(port: number, secrets: StackSecrets): Promise<void>;
  /** On a secured stack, once it answers: sets it up before others may use it. Repeated by each `stack up`. */
  secure?(port: number, secured: SecuredSecrets): Promise<void>;
}

/** The longest wait for one health check. */
export const PROBE_TIMEOUT_MS = 2_000;
