import { CommanderError } from 'commander';
import { TapeproofError } from '../platform/errors.ts';
import { redactStandardStreams } from '../platform/security/redaction.ts';
import { report } from './failure.ts';
import { endWithStarter } from './interruption.ts';
import { buildProgram } from './program.ts';

endWithStarter();
redactStandardStreams();
// Node would print it itself, bypassing every guard of secrets.
process.on('uncaughtException', (error) => process.exit(report(error)));

// The reader of the output may have enough (`| head -1`): then end quietly.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.exit(report(new TapeproofError('USAGE', `Standard output cannot be written (${error.message}).`)));
});

let exitCode = 0;
try {
  await buildProgram().parseAsync();
  exitCode = Number(process.exitCode ?? 0);
} catch (error) {
  if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? 0 : 2;
  else exitCode = report(error);
}
// A pipe takes the output in pieces: exiting before its end would truncate it.
await new Promise((flushed) => process.stdout.write('', flushed));
process.exit(exitCode);
