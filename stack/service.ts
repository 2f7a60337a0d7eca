import type { ServiceName, StackOptions, StackPorts } from './options.ts';
import type { PartName } from './parts.ts';
import type { Command } from './process.ts';
import type { SecuredSecrets, StackSecrets } from './secrets.ts';
import type { ServiceUser } from './service-user.ts';

/** What a service may use while it prepares its start. */
export interface ServiceSetting {
  readonly options: StackOptions;
  /** The service's own folder, for its data and configuration. It exists. */
  readonly folder: string;
  /** The folder of a downloaded part, fetched when it is missing, readable by whom the service runs as. */
  readonly part: (name: PartName) => Promise<string>;
  readonly secrets: StackSecrets;
  /** Whom the service is started as; undefined: as this process. */
  readonly user: ServiceUser | undefined;
  /** A folder of programs, or a copy of it, that the user can read. */
  readonly lend: (folder: string) => Promise<string>;
  /** Makes what lies in `folder` the user's. Done once more after `prepare`. */
  readonly handOver: () => Promise<void>;
}

/** One service of the stack: how it is prepared, started, asked and ended. */
export interface Service {
  readonly name: ServiceName;
  readonly title: string;
  /** Services that must answer before this one is started. */
  readonly needs: readonly ServiceName[];
  readonly stopSignal: NodeJS.Signals;
  readonly startDeadlineMs: number;
  readonly stopDeadlineMs: number;
  /** A log line of a start that is worth another try. */
  readonly passingFailure?: RegExp;
  /** The ports it listens on; the first is the one that clients use. */
  ports(ports: StackPorts): readonly number[];
  /** First-time initialisation and configuration; gives the command that runs the service in the foreground. */
  prepare(setting: ServiceSetting): Promise<Command>;
  /** Resolves if the service does its work; rejects with the reason if not. Bounded by its own timeout. */
  probe(port: number, secrets: StackSecrets): Promise<void>;
  /** On a secured stack, once it answers: what it must know before others may use it. */
  secure?(port: number, secured: SecuredSecrets): Promise<void>;
}

/** Longest wait for an answer to one health question. */
export const PROBE_TIMEOUT_MS = 2_000;
