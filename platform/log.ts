import { ecsFormat } from '@elastic/ecs-pino-format';
import { pino, type DestinationStream, type Logger } from 'pino';
import { TapeproofError } from './errors.ts';
import { LOG_EVENTS, type EveryAction, type LogAction, type LogLevel, type SampledAction } from './log-events.ts';
import type { FieldsOf } from './log-event-fields.ts';
import type { LogFields } from './log-field-catalogue.ts';
import { cut, MESSAGE_CHARACTERS_MAX, safeFields, SUPPRESSED_FIELD } from './log-fields.ts';
import { jsonLine, textLines } from './log-line.ts';
import { redact } from './security/redaction.ts';

/** For each sampled kind; further lines are counted and left out. */
export const SAMPLED_LINES_PER_SECOND_MAX = 2;
const SECOND_MS = 1_000;

const LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];
const FORMATS: readonly string[] = ['json', 'text'];

type Write<Action extends LogAction = LogAction> = (message: string, fields?: FieldsOf<Action>) => void;

interface WritePlain {
  (message: string): void;
  (fields: LogFields, message: string): void;
}

/**
 * The log of one process: one line per event, to standard error (standard output belongs to the command's results).
 * Synchronous, so that the last line before an exit is written.
 */
export interface Log {
  /** Writes a line of the catalogue (log-events.ts). */
  event<Action extends EveryAction>(action: Action, message: string, fields?: FieldsOf<Action>): void;
  /**
   * For events that may happen thousands of times a second: undefined where the line would exceed the limit of its
   * kind. Call the result with `?.()`: then nothing is built for a line that is not written.
   *
   *     log.sampled('strategy-executed')?.(`${name} says ${direction}`, { 'event.id': eventId });
   */
  sampled<Action extends SampledAction>(action: Action): Write<Action> | undefined;
  /** Lines left out since the start, by kind. */
  readonly suppressed: ReadonlyMap<SampledAction, number>;

  /** Lines outside the catalogue of kinds, with fields of the catalogue of fields. */
  readonly debug: WritePlain;
  readonly info: WritePlain;
  readonly warn: WritePlain;
  readonly error: WritePlain;
}

/**
 * A log with the fields of the Elastic Common Schema: JSON, or text where standard error is a terminal. Environment
 * variables override both: TAPEPROOF_LOG_LEVEL (trace, debug, info, warn, error, silent), TAPEPROOF_LOG_FORMAT (json,
 * text).
 *
 * @param name the process, for example `engine`.
 * @param level where the environment names none; `silent` stays silent.
 * @param destination takes lines of JSON as they are.
 * @throws TapeproofError CONFIGURATION when an environment variable has an unknown value.
 */
export function createLog(
  name: string,
  level: LogLevel | 'silent' = 'info',
  destination: DestinationStream = standardError(),
): Log {
  const wanted = chosen('TAPEPROOF_LOG_LEVEL', LEVELS) ?? level;
  return logTo(name, level === 'silent' ? level : wanted, destination);
}

/** @throws TapeproofError CONFIGURATION */
function chosen(variable: string, choices: readonly string[]): string | undefined {
  const value = process.env[variable];
  if (value === undefined || value === '') return undefined;
  if (choices.includes(value)) return value;
  throw new TapeproofError(
    'CONFIGURATION',
    `${variable} holds ${JSON.stringify(value.slice(0, 100))}: give one of ${choices.join(', ')}.`,
  );
}

function standardError(): DestinationStream {
  const isTerminal = process.stderr.isTTY;
  const format = chosen('TAPEPROOF_LOG_FORMAT', FORMATS) ?? (isTerminal ? 'text' : 'json');
  const file = pino.destination({ fd: 2, sync: true });
  if (format === 'json') return file;
  const textOf = textLines(isTerminal && process.env['NO_COLOR'] === undefined);
  return {
    write: (line) => {
      file.write(textOf(line));
    },
  };
}

function logTo(name: string, level: string, destination: DestinationStream): Log {
  const guarded: DestinationStream = {
    write: (line) => {
      destination.write(jsonLine(redact(line)));
    },
  };
  const ecs = ecsFormat({ serviceName: name, apmIntegration: false, convertErr: false });
  const writer = pino({ ...ecs, level, base: { pid: process.pid } }, guarded);
  const plain =
    (lineLevel: LogLevel): WritePlain =>
    (...line: [string] | [LogFields, string]) => {
      const [fields, message] = line.length === 1 ? [{}, line[0]] : line;
      if (writer.isLevelEnabled(lineLevel)) writer[lineLevel](safeFields(fields), cut(message, MESSAGE_CHARACTERS_MAX));
    };
  const sampling = new Sampling(writer);
  return {
    event: (action, message, fields) => {
      writeEvent(writer, action, message, fields, 0);
    },
    sampled: (action) => sampling.admit(action),
    suppressed: sampling.suppressed,
    debug: plain('debug'),
    info: plain('info'),
    warn: plain('warn'),
    error: plain('error'),
  };
}

function writeEvent(
  writer: Logger,
  action: LogAction,
  message: string,
  fields: LogFields | undefined,
  suppressed: number,
): void {
  const { level } = LOG_EVENTS[action];
  if (!writer.isLevelEnabled(level)) return;
  const line = {
    'event.kind': 'event',
    'event.action': action,
    ...(fields === undefined ? {} : safeFields(fields)),
    ...(suppressed === 0 ? {} : { [SUPPRESSED_FIELD]: suppressed }),
  };
  writer[level](line, cut(message, MESSAGE_CHARACTERS_MAX));
}

interface SampledKind {
  readonly write: Write;
  readonly enabled: boolean;
  windowStart: number;
  written: number;
  /** Since the last line. */
  suppressed: number;
}

/** Limits the lines of each kind per second. Each question costs one reading of the clock. */
class Sampling {
  readonly suppressed = new Map<SampledAction, number>();
  readonly #kinds = new Map<SampledAction, SampledKind>();

  constructor(writer: Logger) {
    for (const action of Object.keys(LOG_EVENTS) as LogAction[]) {
      if (!isSampled(action)) continue;
      const kind: SampledKind = {
        write: (message, fields) => {
          const { suppressed } = kind;
          kind.suppressed = 0;
          writeEvent(writer, action, message, fields, suppressed);
        },
        enabled: writer.isLevelEnabled(LOG_EVENTS[action].level),
        windowStart: 0,
        written: 0,
        suppressed: 0,
      };
      this.#kinds.set(action, kind);
      this.suppressed.set(action, 0);
    }
  }

  admit(action: SampledAction): Write | undefined {
    const kind = this.#kinds.get(action);
    if (kind?.enabled !== true) return undefined;
    const now = performance.now();
    if (kind.written === 0 || now - kind.windowStart >= SECOND_MS) {
      kind.windowStart = now;
      kind.written = 0;
    }
    if (kind.written < SAMPLED_LINES_PER_SECOND_MAX) {
      kind.written += 1;
      return kind.write;
    }
    kind.suppressed += 1;
    this.suppressed.set(action, (this.suppressed.get(action) ?? 0) + 1);
    return undefined;
  }
}

function isSampled(action: LogAction): action is SampledAction {
  return LOG_EVENTS[action].sampled;
}
