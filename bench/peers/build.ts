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

/** Folders of `bench/peers`, each a project of Maven. */
type Project = 'streams' | 'connect';

const NAMES: Readonly<Record<Project, string>> = {
  streams: 'the Kafka Streams application',
  connect: 'Kafka Connect with the JDBC sink',
};
/** Names the sources of a build that was completed. */
const STAMP_FILE = 'built';
const MAVEN_DEADLINE_MS = 20 * 60_000;
const OUTPUT_BYTES_MAX = 16 * 1_048_576;

/**
 * Builds the Kafka Streams application, unless these sources are built already: then Maven is not needed.
 *
 * @returns its class path.
 * @throws StackError where Maven is missing, or cannot build it.
 */
export function buildStreams(): Promise<string> {
  return build('streams', streamsSchemas());
}

/** The same for Kafka Connect with the JDBC sink and our converter. */
export function buildConnect(): Promise<string> {
  return build('connect');
}

/** @param schemas - for Avro's code generator. */
async function build(project: Project, schemas = ''): Promise<string> {
  const folder = join(dirname(DEFAULT_STACK_OPTIONS.partsFolder), 'peers', project);
  const sources = sourcesHash(project, schemas);
  await withFolderLock(
    folder,
    () => undefined,
    async () => {
      if (builtSources(folder) === sources) return;
      for (const entry of ['avro', 'classes', 'generated-sources', 'jars', STAMP_FILE]) {
        await rm(join(folder, entry), { recursive: true, force: true });
      }
      mkdirSync(join(folder, 'avro'), { recursive: true });
      if (schemas !== '') writeFileSync(join(folder, 'avro', 'events.avsc'), schemas);
      await runMaven(project, folder);
      writeFileSync(join(folder, STAMP_FILE), sources);
    },
  );
  return `${join(folder, `peer-${project}.jar`)}:${join(folder, 'jars')}/*`;
}

function sourcesHash(project: Project, schemas: string): string {
  const hash = createHash('sha256').update(schemas);
  const files = readdirSync(join(import.meta.dirname, project), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function builtSources(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, STAMP_FILE), 'utf8');
  } catch {
    return undefined;
  }
}

async function runMaven(project: Project, folder: string): Promise<void> {
  const file = join(import.meta.dirname, project, 'pom.xml');
  // -C: a wrong checksum is an error.
  const words = ['-B', '-q', '-C', '-f', file, `-Dbuild=${folder}`, 'package'];
  try {
    await promisify(execFile)(mavenProgram(), words, { timeout: MAVEN_DEADLINE_MS, maxBuffer: OUTPUT_BYTES_MAX });
  } catch (error) {
    if (error instanceof StackError) throw error;
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new StackError(
      `Maven could not build ${NAMES[project]} of bench/peers (${tellingLine(output) ?? 'it printed nothing'}): check the network, or the mirror and proxy in Maven's settings.xml, and run the command again.`,
      3,
      error,
    );
  }
}
