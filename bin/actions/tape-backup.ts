import { join } from 'node:path';
import { backUp, type BackupReport, type CopyProgress } from '../../platform/backup/backup.adapter.ts';
import { backupIn, restore, type RestoreReport } from '../../platform/backup/restore.adapter.ts';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { takeFolder } from '../../stack/lock.ts';
import { answeringKafka, print } from '../context.ts';
import { interruption } from '../interruption.ts';
import { progressBar } from '../progress.ts';

const CANCELLED_EXIT_CODE = 130;

export interface BackupCommandOptions {
  readonly json?: true;
}

export interface RestoreCommandOptions extends BackupCommandOptions {
  readonly dryRun?: true;
}

export async function runBackup(folder: string, { json }: BackupCommandOptions): Promise<void> {
  const report = await alone(folder, 'backup', async (common) => await backUp({ ...common, folder }));
  print(json, report, () => backupText(report));
  if (!report.complete) process.exitCode = CANCELLED_EXIT_CODE;
}

export async function runRestore(folder: string, { json, dryRun }: RestoreCommandOptions): Promise<void> {
  const isDryRun = dryRun === true;
  // Before a lock makes the folder.
  await backupIn(folder);
  const report = await alone(folder, 'restore', async (common) => await restore({ ...common, folder, isDryRun }));
  print(json, report, () => restoreText(report));
  if (!report.complete) process.exitCode = CANCELLED_EXIT_CODE;
}

interface Common {
  readonly kafka: Awaited<ReturnType<typeof answeringKafka>>;
  readonly signal: AbortSignal;
  readonly progress: (progress: CopyProgress) => void;
}

/** Runs the work while no other of these commands uses the folder. */
async function alone<Report>(
  folder: string,
  title: string,
  work: (common: Common) => Promise<Report>,
): Promise<Report> {
  const signal = interruption();
  const kafka = await answeringKafka('tape');
  const giveBack = takeFolder(join(folder, '.tapeproof'));
  if (giveBack === undefined) {
    throw new TapeproofError('CONFLICT', `Another command copies to or from ${folder}: wait for it.`);
  }
  const bar = progressBar(title);
  try {
    return await work({
      ...{ kafka, signal },
      progress: ({ done, total, records }) => {
        bar.update({ done, total, unit: 'records', count: records });
      },
    });
  } finally {
    bar.stop();
    giveBack();
  }
}

function backupText({ folder, complete, topics }: BackupReport): string {
  return [
    ...topics.map(
      ({ topic, records, added }) =>
        `  ${topic.padEnd(20)} ${counted(records, 'record')}, ${added.toLocaleString('en')} of them new`,
    ),
    complete
      ? `The backup in ${folder} is complete up to now; run it again to add what follows.`
      : 'It was stopped before the end: run it again to continue.',
  ].join('\n');
}

function restoreText({ folder, isDryRun, complete, topics }: RestoreReport): string {
  const lines = topics.map(({ topic, records, appended, isLeft }) =>
    isLeft
      ? `  ${topic.padEnd(20)} left as it is: it has records of its own. "npx tapeproof contracts check" says whether the registry's ids are those of the log.`
      : `  ${topic.padEnd(20)} ${counted(records, 'record')}, ${appended.toLocaleString('en')} appended`,
  );
  if (!complete) return [...lines, 'It was stopped before the end: run it again to continue.'].join('\n');
  return [
    ...lines,
    isDryRun
      ? `Every file of ${folder} is whole, and can be restored here.`
      : `Restored from ${folder}. Start the engines, which derive everything again, then run "npx tapeproof certify".`,
  ].join('\n');
}
