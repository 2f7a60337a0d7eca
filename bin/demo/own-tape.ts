import { createInterface } from 'node:readline/promises';
import { sha256Hex } from '../../contracts/codec.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { ENGINE_VERSION } from '../../evaluators/configuration.ts';
import type { Connections } from '../../platform/connections.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createKafka, withAdmin } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { partitionCount } from '../../platform/kafka/topics.ts';

/** The demo's own records on a tape. */
export interface DemoTape {
  /** Sources of its trades, as named on the tape. */
  readonly sources: readonly string[];
  /** The configuration that it activates, canonical JSON. */
  readonly configuration: string;
}

/**
 * Passes where the tape is empty or has only the demo's own records, or where somebody agrees: on another tape it
 * would put its own configuration in force, append trades, and wipe and replay both stores.
 *
 * @param yes - agrees beforehand.
 * @throws TapeproofError USAGE where nobody agrees; UNREACHABLE.
 */
export async function assertOwnTape(where: Connections, demo: DemoTape, yes: boolean): Promise<void> {
  const strange = await firstStrange(where, demo);
  if (strange === undefined || yes) return;
  const sentence = `The tape on the local stack is not the demo's (${strange}). The demo would put its own configuration in force, append trades, and wipe and replay both stores.`;
  if (process.stdin.isTTY && process.stderr.isTTY) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question(`${sentence} Continue? [y/N] `);
    terminal.close();
    if (/^y(es)?$/i.test(answer.trim())) return;
  }
  throw new TapeproofError(
    'USAGE',
    `${sentence} Give the demo its own stack with TAPEPROOF_STACK_FOLDER and the TAPEPROOF_STACK_PORT_… variables ("npx tapeproof stack --help"), or run "npx tapeproof demo --yes" to use this one.`,
  );
}

/** The first thing on the tape that is not the demo's, in words. Reading ends there. */
async function firstStrange(where: Connections, demo: DemoTape): Promise<string | undefined> {
  const kafka = createKafka(where.kafkaBrokers, 'tapeproof-demo');
  if (!(await withAdmin(kafka, (admin) => admin.listTopics())).includes(TAPE_TOPIC)) return undefined;
  const partitions = await partitionCount(kafka);
  const reader = createLogReader(where.kafkaBrokers);
  const decode = createTapeDecoder(createRegistry(where.registryUrl));
  try {
    for (let partition = 0; partition < partitions; partition += 1) {
      const range = {
        topic: TAPE_TOPIC,
        partition,
        from: await reader.startOffset(TAPE_TOPIC, partition),
        to: await reader.endOffset(TAPE_TOPIC, partition),
      };
      let inForce: string | undefined;
      for await (const records of reader.read(range)) {
        for (const record of records) {
          const content = await decode(record);
          const strange = strangeIn(content, demo);
          if (strange !== undefined) return `partition ${partition}, offset ${record.offset}: ${strange}`;
          if (content.kind === 'activation') inForce = strangeActivation(content, demo);
        }
      }
      if (inForce !== undefined) return inForce;
    }
  } finally {
    await reader.close();
  }
  return undefined;
}

function strangeIn(content: TapeContent, { sources }: DemoTape): string | undefined {
  if (content.kind === 'activation') return undefined;
  if (content.kind !== 'trade') return `a record that the demo does not write (${content.kind})`;
  const { instrument, source } = content.trade;
  return sources.includes(source) ? undefined : `a trade of ${instrument} from ${source}`;
}

function strangeActivation(
  { activation }: Extract<TapeContent, { kind: 'activation' }>,
  { configuration }: DemoTape,
): string | undefined {
  const { engineVersion, configHash } = activation;
  if (engineVersion !== ENGINE_VERSION) return `engine version ${engineVersion} is in force`;
  return configHash === sha256Hex(Buffer.from(configuration))
    ? undefined
    : `configuration ${configHash.slice(0, 12)} is in force, and is not that of config/engine.yaml`;
}
