import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { registerAudit } from './commands/audit.ts';
import { registerBacktest } from './commands/backtest.ts';
import { registerCalendar } from './commands/calendar.ts';
import { registerCertify } from './commands/certify.ts';
import { registerCheckpoints } from './commands/checkpoints.ts';
import { registerDashboard } from './commands/dashboard.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDerive } from './commands/derive.ts';
import { registerEngine } from './commands/engine.ts';
import { registerIngest } from './commands/ingest.ts';
import { registerInstruments } from './commands/instruments.ts';
import { registerKeygen } from './commands/keygen.ts';
import { registerOperate } from './commands/operate.ts';
import { registerOracle } from './commands/oracle.ts';
import { registerProjector } from './commands/projector.ts';
import { registerPublish } from './commands/publish.ts';
import { registerReport } from './commands/report.ts';
import { registerScoreboard } from './commands/scoreboard.ts';
import { registerStack } from './commands/stack.ts';
import { registerStatus } from './commands/status.ts';
import { registerTape } from './commands/tape.ts';
import { registerTrials } from './commands/trials.ts';
import { registerVerifyProof } from './commands/verify-proof.ts';
import { registerWhatIf } from './commands/what-if.ts';
import { registerWitness } from './commands/witness.ts';
import { actAs, roleOf } from './role.ts';

/**
 * All commands with their arguments, options and help. A command's action is loaded when it is called: showing help
 * loads no Kafka library.
 */
export function buildProgram(): Command {
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
Exit codes: 0 done, 1 the check failed, 2 bad usage or configuration, 3 a service is unreachable.
Services:   the running local stack, or TAPEPROOF_KAFKA_BROKERS, TAPEPROOF_REGISTRY_URL, TAPEPROOF_POSTGRES_URL, TAPEPROOF_REDIS_URL;
            TAPEPROOF_POSTGRES_MIGRATOR_URL where another role creates tables and views; TLS and secrets: docs/connections.md.

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
  registerDashboard(program);
  registerCheckpoints(program);
  registerWitness(program);
  program.commandsGroup('Prove:');
  registerAudit(program);
  registerVerifyProof(program);
  registerPublish(program);
  registerCertify(program);
  registerDerive(program);
  registerBacktest(program);
  registerWhatIf(program);
  registerTrials(program);
  registerScoreboard(program);
  registerReport(program);
  registerOracle(program);
  program.commandsGroup('Operate:');
  registerStatus(program);
  registerStack(program);
  registerInstruments(program);
  registerCalendar(program);
  registerOperate(program);
  registerTape(program);
  registerKeygen(program);
  return program;
}
