/** A command that people are told to run. */
export interface PrintedCommand {
  /** Counts from 1; a line and its continuation count as one. */
  readonly line: number;
  readonly text: string;
}

const COMMAND = String.raw`(?:npx )?tapeproof(?= [a-z-])|make(?= [a-z])|npm run(?= [a-z])`;
/** Between quotes or backticks, which end it. */
const QUOTED = new RegExp(`(["\`])((?:${COMMAND}) [^"\`]+)\\1`, 'g');
/** On a separate line, which ends it, after the variables that are set for it: in a code block, a help text or a list of commands. */
const ON_A_LINE = new RegExp(`^ *(?:\\$ )?(?:[A-Z_]+=\\S* )*((?:npx tapeproof|make|npm run) .+)$`);
/** The characters that end a command's words in a shell, outside quotes. */
const SHELL_END = /^(?:&&?|\|\|?|;|#|\d?>>?)$/;
const WORD = /(?:"[^"]*"|'[^']*'|[^\s"'])+/g;
/** A backslash at a line's end. */
const CONTINUATION = / \\\n */g;
/** Replaces a message's placeholder, where any text will do. */
const SAMPLE = 'NAME';
const SAMPLE_NUMBER = '6';
const SAMPLE_TOPIC = 'indicator.snapshots';

/** The commands in a page or a source, from top to bottom. */
export function commandsIn(text: string): PrintedCommand[] {
  const lines = text.replaceAll(CONTINUATION, ' ').replaceAll('\\`', '`').split('\n');
  return lines.flatMap((raw, index) => {
    const line = raw.replaceAll(/<\/?code>/g, '`').replaceAll(/\$\{[^}]*\}/g, sampleOf);
    const onALine = ON_A_LINE.exec(line)?.[1];
    // Without npx it may be a program's own name.
    const isCommand = (command: string): boolean => !/^tapeproof .*NAME$/.test(command) || !raw.includes('${');
    const found =
      onALine === undefined
        ? [...line.matchAll(QUOTED)].map(([, , command = '']) => command)
        : shellCommands(onALine.replace(/`[,;)]*$/, ''));
    return found.filter(isCommand).map((command) => ({ line: index + 1, text: command }));
  });
}

function sampleOf(hole: string): string {
  if (/topic/i.test(hole)) return SAMPLE_TOPIC;
  return /partitions|actual/i.test(hole) ? SAMPLE_NUMBER : SAMPLE;
}

/** The commands of a line, as a shell would split it. */
function shellCommands(line: string): string[] {
  const commands: string[][] = [[]];
  for (const word of line.match(WORD) ?? []) {
    if (word === '#') break;
    if (SHELL_END.test(word)) commands.push([]);
    else commands.at(-1)?.push(word);
  }
  return commands.map((words) => words.join(' ')).filter((command) => /^(?:npx tapeproof|make|npm run) /.test(command));
}

/** The words of a command, without quotes; `npx` is left out, and optional words are included. */
export function wordsOf(command: string): string[] {
  const words = (command.match(WORD) ?? []).map((word) => word.replaceAll(/["']/g, ''));
  return words[0] === 'npx' ? words.slice(1) : words;
}
