import { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { registerAudit } from './commands/audit.ts';
import { registerBacktest } from './commands/backtest.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDerive } from './commands/derive.ts';
import { registerEngine } from './commands/engine.ts';
import { registerIngest } from './commands/ingest.ts';
import { registerInstruments } from './commands/instruments.ts';
import { registerOperate } from './commands/operate.ts';
import { registerProjector } from './commands/projector.ts';
import { registerScoreboard } from './commands/scoreboard.ts';
import { registerStack } from './commands/stack.ts';
import { registerTape } from './commands/tape.ts';
import { endWithStarter } from './context.ts';
import { TapeproofError } from '../platform/errors.ts';
import { redactStandardStreams } from '../platform/security/redaction.ts';
import { report } from './failure.ts';
import { actAs, roleOf } from './local-stack.ts';

endWithStarter();
redactStandardStreams();
// Node would print it by itself, past every guard of secrets.
process.on('uncaughtException', (error) => process.exit(report(error)));

// Who reads what is printed may have enough (`| head -1`): that is a quiet end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.exit(report(new TapeproofError('USAGE', `Standard output cannot be written (${error.message}).`)));
});

const program = new Command('tapeproof')
  .description(
    'Turns a tape of market trades into probability decisions that anyone can re-derive, and records whether they came true.',
  )
  .version(packageJson.version)
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({
    outputError: (text, write) => {
      write(text.replace(/^error:/, 'tapeproof:'));
    },
  })
  .helpCommand(false)
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 the check failed, 2 bad usage or configuration, 3 a service is out of reach.
Services:   the running local stack, or TAPEPROOF_KAFKA_BROKERS, TAPEPROOF_REGISTRY_URL, TAPEPROOF_POSTGRES_URL, TAPEPROOF_REDIS_URL.

Examples:
  $ npx tapeproof demo
  $ npx tapeproof audit --latest BTC-USD@bitstamp
  $ npx tapeproof projector rebuild postgres-history`,
  );

program.hook('preAction', (_program, command) => {
  actAs(roleOf(command));
});
program.commandsGroup('Run:');
registerDemo(program);
registerIngest(program);
registerEngine(program);
registerProjector(program);
program.commandsGroup('Prove:');
registerAudit(program);
registerDerive(program);
registerBacktest(program);
registerScoreboard(program);
program.commandsGroup('Operate:');
registerStack(program);
registerInstruments(program);
registerOperate(program);
registerTape(program);

let exitCode = 0;
try {
  await program.parseAsync();
  exitCode = Number(process.exitCode ?? 0);
} catch (error) {
  if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? 0 : 2;
  else exitCode = report(error);
}
// A pipe takes what is printed bit by bit: leaving before its end would cut it off.
await new Promise((flushed) => process.stdout.write('', flushed));
process.exit(exitCode);
