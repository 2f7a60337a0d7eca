import { readFile } from 'node:fs/promises';
import { TapeproofError } from '../platform/errors.ts';

/**
 * What a YAML file of an operator holds.
 *
 * @param what - for people: `configuration`.
 * @param sentenceOf - what to say of YAML that is wrong, a sentence.
 * @throws TapeproofError CONFIGURATION, naming the file, and the line where it has one.
 */
export async function readYaml(
  path: string,
  what: string,
  sentenceOf: (error: Error) => string = firstSentence,
): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new TapeproofError(
      'CONFIGURATION',
      `The ${what} ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): name one with --config.`,
      { cause: error },
    );
  }
  // Loaded on demand: most commands read no configuration.
  const { parseDocument, YAMLError } = await import('yaml');
  try {
    const document = parseDocument(text);
    // YAML's mere warnings, such as an unknown tag, are errors in ours.
    const [wrong] = [...document.errors, ...document.warnings];
    if (wrong !== undefined) throw wrong;
    return document.toJS();
  } catch (error) {
    const place = error instanceof YAMLError && error.linePos ? ` line ${error.linePos[0].line}` : '';
    throw new TapeproofError('CONFIGURATION', `${path}${place}: ${sentenceOf(error as Error)}`, { cause: error });
  }
}

/** The first line of a message; YAML's ends with the place and a colon before an excerpt. */
export function firstSentence({ message }: Error): string {
  return (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:$/, '.');
}
