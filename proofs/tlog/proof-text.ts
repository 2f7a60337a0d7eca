import type { ProofReport } from './tlog-proof.ts';

/** A verified proof for people. */
export function proofText(report: ProofReport, event: string | undefined): string {
  const failed = report.checks.filter(({ passed }) => !passed).length;
  return [
    `${event ?? 'event'}  #${report.eventHash}`,
    `  leaf ${report.index} of ${report.size} in ${report.origin}`,
    '',
    'Checked:',
    ...report.checks.flatMap(({ name, passed, detail, restsOn }) => [
      `  ${passed ? '✓' : '✗'} ${name}: ${detail}`,
      `      rests on ${restsOn}`,
    ]),
    'Not checked:',
    ...report.notChecked.map((line) => `  · ${line}`),
    '',
    failed === 0 ? 'PROVEN.' : `NOT PROVEN: ${failed} of ${report.checks.length} checks failed.`,
  ].join('\n');
}
