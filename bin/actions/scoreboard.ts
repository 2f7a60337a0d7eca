import { passedOverText } from '../../platform/kafka/foreign-records.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { tapeCountsText } from '../../proofs/set-aside-text.ts';
import { countTape } from '../../proofs/set-aside.ts';
import { scoreboardText } from '../../proofs/scoreboard-text.ts';
import { scoreboard } from '../../proofs/scoreboard.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';
import { withEvents } from '../with-events.ts';

export async function printScoreboard({ json }: JsonOption): Promise<void> {
  await withEvents('scoreboard', async ({ log, reader, registry, partitions }) => {
    const trades = await countTape({ reader, registry, decode: createTapeDecoder(registry) }, partitions);
    const board = await scoreboard(log, partitions);
    const { passedOver } = log;
    print(json, { ...board, trades, passedOver }, () =>
      [scoreboardText(board), ...tapeCountsText(trades), ...passedOverText(passedOver)].join('\n'),
    );
  });
}
