import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../contracts/canonical-json.ts';
import type { IndicatorSnapshot } from '../contracts/generated/events.ts';
import { NO_SIGNALS, type Signal } from '../evaluators/context/signal.ts';
import { STRATEGY_KIT, type StrategyKit } from '../evaluators/strategies/kit.ts';
import type { Opinion, Strategy } from '../evaluators/strategies/strategy.ts';
import { TapeproofError } from '../platform/errors.ts';

/** A strategy from a file, guarded: any fault in it is reported in a sentence. */
export interface OwnStrategy {
  readonly path: string;
  /** SHA-256 of the file, hex; files that it imports are not included. */
  readonly sha256: string;
  readonly strategy: Strategy;
}

/** The fault of a strategy from a file at a snapshot: the end of a sentence that begins with the strategy. */
export class StrategyFault extends Error {
  readonly subject: string;
  readonly snapshot: IndicatorSnapshot;

  constructor(subject: string, what: string, snapshot: IndicatorSnapshot, options?: ErrorOptions) {
    super(what, options);
    this.name = 'StrategyFault';
    this.subject = subject;
    this.snapshot = snapshot;
  }
}

const NAME = /^[A-Z][A-Z0-9_]{2,39}$/;
/** A key that no strategy has: parameters that accept it accept every typing error. */
const UNKNOWN_KEY = 'noSuchParameter';
const DIRECTIONS: readonly unknown[] = ['LONG', 'SHORT', 'NEUTRAL'];
const HOW = 'write "export default ({ defineStrategy, z }) => defineStrategy({ … })"';
/** Time limit for finding the line of a syntax error. */
const LOCATE_DEADLINE_MS = 10_000;

/**
 * Loads the strategy from a file: its default export, or else its only one; a strategy, or a function that makes one
 * from a `StrategyKit`. The file's code is run, and nothing prevents it from being random.
 *
 * @param path - as given by the user: relative to the working directory.
 * @param known - the existing strategies; a name may be used only once.
 * @throws TapeproofError USAGE when the file cannot be read or run, or does not export a valid strategy.
 */
export async function loadStrategy(path: string, known: readonly Strategy[]): Promise<OwnStrategy> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw usage(`The strategy ${path} cannot be read: ${readFailure(error)}.`, error);
  });
  const exported = exportOf(path, await importModule(path));
  const made = typeof exported === 'function' ? make(path, exported as (kit: StrategyKit) => unknown) : exported;
  const strategy = checkedStrategy(path, made);
  if (known.some(({ name }) => name === strategy.name)) {
    throw usage(`The strategy ${path} is named ${strategy.name}, like one that already exists: give it another name.`);
  }
  return { path, sha256: createHash('sha256').update(bytes).digest('hex'), strategy };
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) {
      const line = lineIn(error.stack, path) ?? (await lineOfSyntaxError(path));
      throw usage(`The strategy ${path}${lineText(line)} is not valid TypeScript: ${sentenceOf(error)}.`, error);
    }
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND') {
      throw usage(
        `The strategy ${path} imports something that does not exist (${sentenceOf(error)}): without an import, ${HOW}.`,
        error,
      );
    }
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      throw usage(`The strategy ${path} is neither TypeScript nor JavaScript: give a file that ends in .ts.`, error);
    }
    throw usage(
      `The strategy ${path}${lineText(lineIn(stackOf(error), path))} throws while it is loaded: ${sentenceOf(error)}.`,
      error,
    );
  }
}

/**
 * Node reports an uncaught error's line, but not always a caught one's: so the file is run in a separate process. None
 * of it is executed, because its syntax is wrong.
 */
function lineOfSyntaxError(path: string): Promise<number | undefined> {
  return new Promise((found) => {
    execFile(process.execPath, [resolve(path)], { timeout: LOCATE_DEADLINE_MS }, (_error, _stdout, stderr) => {
      found(lineIn(stderr, path));
    });
  });
}

function exportOf(path: string, module: Record<string, unknown>): unknown {
  const names = Object.keys(module).filter((name) => name !== 'module.exports' && name !== '__esModule');
  const [name, second] = names.includes('default') ? ['default'] : names;
  if (name === undefined) throw usage(`The strategy ${path} exports nothing: ${HOW}.`);
  if (second === undefined) return module[name];
  throw usage(`The strategy ${path} exports ${names.join(', ')} but none of them as default: write "export default".`);
}

function make(path: string, factory: (kit: StrategyKit) => unknown): unknown {
  try {
    return factory(STRATEGY_KIT);
  } catch (error) {
    const line = lineText(lineIn(stackOf(error), path));
    throw usage(`The strategy ${path}${line} throws while it is made: ${sentenceOf(error)}.`, error);
  }
}

/**
 * The export of a file, as a strategy that can be run safely.
 *
 * @throws TapeproofError USAGE when it is not a valid strategy. Evaluating it throws a {@link StrategyFault} when it
 *   throws, or returns a value that is not an opinion.
 */
export function checkedStrategy(path: string, made: unknown): Strategy {
  return guarded(path, soundStrategy(path, made));
}

/** Checks the shape of a strategy, and the rules of `strategies.contract.spec.ts` for its declaration. */
function soundStrategy(path: string, made: unknown): Strategy {
  const wrong = (what: string) => usage(`The strategy ${path} ${what}.`);
  if (typeof made !== 'object' || made === null) throw wrong(`exports ${kindOf(made)} instead of a strategy: ${HOW}`);
  const { name, parameters, configure, contradictionIn } = made as Partial<Strategy>;
  if (typeof configure !== 'function' || typeof contradictionIn !== 'function') {
    throw wrong(`does not export a strategy made by defineStrategy: ${HOW}`);
  }
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw wrong(`has the name ${JSON.stringify(name)}: a name has 3 to 40 capitals, digits and _, such as MEAN_RETURN`);
  }
  if (typeof parameters?.safeParse !== 'function' || parameters.safeParse({ [UNKNOWN_KEY]: 1 }).success) {
    throw wrong('accepts unknown parameters: define them with z.strictObject({ … })');
  }
  const defaults = parameters.safeParse({});
  if (!defaults.success) {
    const [issue] = defaults.error.issues;
    throw wrong(`has no default for its parameter ${issue?.path.join('.') ?? ''}: end it with .default(…)`);
  }
  if (!isKeptByJson(parameters, defaults.data)) {
    throw wrong('has parameters that JSON does not preserve: use numbers, booleans and texts, without transform');
  }
  // Giving its file names it.
  return { name, isEnabledUnlessNamed: true, isListedUnlessNamed: true, parameters, configure, contradictionIn };
}

/** The engine reads parameters from the configuration's JSON, as they were parsed. */
function isKeptByJson(parameters: Strategy['parameters'], parsed: unknown): boolean {
  try {
    const again = parameters.safeParse(JSON.parse(canonicalJson(parsed)));
    return again.success && isDeepStrictEqual(again.data, parsed);
  } catch {
    return false;
  }
}

/** The strategy, with a sentence for each of its faults, and snapshots that it cannot change. */
function guarded(path: string, strategy: Strategy): Strategy {
  const subject = `The strategy ${strategy.name} (${path})`;
  return {
    ...strategy,
    configure(parameters) {
      const evaluate = strategy.configure(parameters);
      return (snapshot, signals = NO_SIGNALS) => {
        let opinion: Opinion;
        try {
          opinion = evaluate(frozen(snapshot), signals);
        } catch (error) {
          const line = lineIn(stackOf(error), path);
          const what = `throws${line === undefined ? '' : ` in its line ${line}`}: ${sentenceOf(error)}`;
          throw new StrategyFault(subject, what, snapshot, { cause: error });
        }
        const wrong = faultOf(opinion, signals);
        if (wrong !== undefined) throw new StrategyFault(subject, wrong, snapshot);
        return opinion;
      };
    },
  };
}

/** Events are stored facts: a strategy that writes into one gets an error from the language. */
function frozen(snapshot: IndicatorSnapshot): IndicatorSnapshot {
  Object.freeze(snapshot.tape);
  Object.freeze(snapshot.causes);
  return Object.freeze(snapshot);
}

/** The fault of an opinion by the rules of `Opinion`; undefined if it is valid. */
function faultOf(opinion: unknown, given: readonly Signal[]): string | undefined {
  if (typeof opinion !== 'object' || opinion === null) return `returns ${kindOf(opinion)} instead of an opinion`;
  if (opinion instanceof Promise) return 'returns a promise: it must answer at once';
  const { direction, probability, quality, indicators, reasoning, signals } = opinion as Record<keyof Opinion, unknown>;
  if (!DIRECTIONS.includes(direction)) {
    return `returns the direction ${kindOf(direction)}: it must be LONG, SHORT or NEUTRAL`;
  }
  if (!isShare(probability)) return `returns the probability ${kindOf(probability)}: it must be 0 to 1`;
  if (direction === 'NEUTRAL' && probability !== 0.5) {
    return `returns NEUTRAL with the probability ${kindOf(probability)}: it must be 0.5`;
  }
  if (!isShare(quality)) return `returns the quality ${kindOf(quality)}: it must be 0 to 1`;
  if (typeof reasoning !== 'function') {
    return `returns the reasoning ${kindOf(reasoning)}: it must be a function that returns a text`;
  }
  if (typeof indicators !== 'object' || indicators === null) {
    return `returns the indicators ${kindOf(indicators)}: they must be numbers by name`;
  }
  const isGiven = (signal: unknown): boolean => given.includes(signal as Signal);
  if (signals !== undefined && !(Array.isArray(signals) && signals.every(isGiven))) {
    return `returns the signals ${kindOf(signals)}: they must be a list of those that it was given`;
  }
  const wrong = Object.entries(indicators).find(([, value]) => !Number.isFinite(value));
  return wrong && `returns the indicator ${wrong[0]} ${kindOf(wrong[1])}: it must be a finite number`;
}

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/** A wrong value in few words. */
function kindOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined) return String(value);
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

/** The first line of a file that a stack, or Node's output, names. */
function lineIn(text: string | undefined, path: string): number | undefined {
  const full = resolve(path);
  for (const place of [pathToFileURL(full).href, full]) {
    const at = text?.indexOf(`${place}:`) ?? -1;
    const line = at < 0 ? undefined : /^\d+/.exec(text?.slice(at + place.length + 1) ?? '')?.[0];
    if (line !== undefined) return Number(line);
  }
  return undefined;
}

function lineText(line: number | undefined): string {
  return line === undefined ? '' : ` line ${line}`;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

/** The first line of the thrown value's text, without a full stop. */
function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').trim().replace(/[.:]$/, '');
}

function readFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'the file does not exist';
  return code === 'EISDIR' ? 'it is a folder' : message;
}

function usage(message: string, cause?: unknown): TapeproofError {
  return new TapeproofError('USAGE', message, { cause });
}
