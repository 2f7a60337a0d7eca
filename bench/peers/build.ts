import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withFolderLock } from '../../stack/lock.ts';
import { StackError } from '../../stack/errors.ts';
import { DEFAULT_STACK_OPTIONS } from '../../stack/main.ts';
import { mavenProgram } from '../../stack/maven.ts';
import { tellingLine } from '../../stack/run.ts';
import { streamsSchemas } from './streams-schemas.ts';

const SOURCES_FOLDER = join(import.meta.dirname, 'streams');
const BUILD_FOLDER = join(dirname(DEFAULT_STACK_OPTIONS.partsFolder), 'peers');
/** Names the sources of a build that was completed. */
const STAMP_FILE = join(BUILD_FOLDER, 'built');
const MAVEN_DEADLINE_MS = 20 * 60_000;
const OUTPUT_BYTES_MAX = 16 * 1_048_576;

/**
 * Builds the Kafka Streams application, unless these sources are built already: then Maven is not needed.
 *
 * @returns its class path.
 * @throws StackError where Maven is missing, or cannot build it.
 */
export async function buildStreams(): Promise<string> {
  const schemas = streamsSchemas();
  const sources = sourcesHash(schemas);
  await withFolderLock(
    BUILD_FOLDER,
    () => undefined,
    async () => {
      if (builtSources() === sources) return;
      for (const entry of ['avro', 'classes', 'generated-sources', 'jars', 'built']) {
        await rm(join(BUILD_FOLDER, entry), { recursive: true, force: true });
      }
      mkdirSync(join(BUILD_FOLDER, 'avro'), { recursive: true });
      writeFileSync(join(BUILD_FOLDER, 'avro', 'events.avsc'), schemas);
      await runMaven();
      writeFileSync(STAMP_FILE, sources);
    },
  );
  return `${join(BUILD_FOLDER, 'peer-streams.jar')}:${join(BUILD_FOLDER, 'jars')}/*`;
}

function sourcesHash(schemas: string): string {
  const hash = createHash('sha256').update(schemas);
  const files = readdirSync(SOURCES_FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function builtSources(): string | undefined {
  try {
    return readFileSync(STAMP_FILE, 'utf8');
  } catch {
    return undefined;
  }
}

async function runMaven(): Promise<void> {
  // -C: a wrong checksum is an error.
  const words = ['-B', '-q', '-C', '-f', join(SOURCES_FOLDER, 'pom.xml'), `-Dbuild=${BUILD_FOLDER}`, 'package'];
  try {
    await promisify(execFile)(mavenProgram(), words, { timeout: MAVEN_DEADLINE_MS, maxBuffer: OUTPUT_BYTES_MAX });
  } catch (error) {
    if (error instanceof StackError) throw error;
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new StackError(
      `Maven could not build the Kafka Streams application of bench/peers (${tellingLine(output) ?? 'it printed nothing'}): check the network, or the mirror and proxy in Maven's settings.xml, and run the command again.`,
      3,
      error,
    );
  }
}
