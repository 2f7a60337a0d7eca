import type { Command } from 'commander';
import { passedOverText } from '../../platform/kafka/foreign-records.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { partitionCount } from '../../platform/kafka/topics.ts';
import { EventLog } from '../../proofs/event-log.ts';
import { tapeCountsText } from '../../proofs/set-aside-text.ts';
import { countTape } from '../../proofs/set-aside.ts';
import { scoreboardText } from '../../proofs/scoreboard-text.ts';
import { scoreboard } from '../../proofs/scoreboard.ts';
import { connections, kafkaFor, print } from '../context.ts';

export function registerScoreboard(program: Command): void {
  program
    .command('scoreboard')
    .description('hit rates beside their base rates, with n, effective n and interval, from the decision log itself')
    .option('--json', 'print as JSON')
    .action(async ({ json }: { readonly json?: true }) => {
      const where = connections();
      const reader = createLogReader(where.kafkaBrokers);
      try {
        const partitions = await partitionCount(kafkaFor('scoreboard'));
        const registry = createRegistry(where.registryUrl);
        const trades = await countTape({ reader, registry, decode: createTapeDecoder(registry) }, partitions);
        const log = new EventLog(reader, registry);
        const board = await scoreboard(log, partitions);
        const { passedOver } = log;
        print(json, { ...board, trades, passedOver }, () =>
          [scoreboardText(board), ...tapeCountsText(trades), ...passedOverText(passedOver)].join('\n'),
        );
      } finally {
        await reader.close();
      }
    });
}
