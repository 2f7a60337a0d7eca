import Table from 'cli-table3';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import { counted } from '../../platform/counted.ts';
import { checkpointsText, oracleText, rootsText } from './proof-state.ts';
import { needsAttention, type Part, type Status } from './status.ts';

/** The most lines of each part: it must fit one screen. */
const LINES_MAX = 20;
const HASH_CHARACTERS = 12;

/** The status on one screen. */
export function statusText(status: Status): string {
  const attention = needsAttention(status);
  const { services, processes } = status;
  return [
    ...(attention.length === 0
      ? ['All is well.']
      : ['Needs attention:', ...bounded(attention).map((line) => `  ${line}`)]),
    '',
    'Services',
    ...services.map(({ name, up, reason }) => `  ${name.padEnd(10)} ${up ? 'up' : `down: ${reason ?? ''}`}`),
    'Topics',
    ...linesOf(status.topicDrift, (drift) => (drift.length === 0 ? ['as defined'] : drift)),
    'In force',
    ...linesOf(status.activations, (activations) =>
      activations.map(
        ({ partition, engineVersion, gitCommit, configHash, asOfOffset, isAnchored }) =>
          `partition ${partition}: engine ${engineVersion}, commit ${gitCommit.slice(0, HASH_CHARACTERS)}, configuration ${configHash.slice(0, HASH_CHARACTERS)}, at offset ${asOfOffset.toLocaleString('en')}${isAnchored ? '' : ' (no anchor yet)'}`,
      ),
    ),
    'Processes',
    ...(processes.length === 0 ? ['  none is known here; --processes HOST:PORT names those of other machines'] : []),
    ...bounded(
      processes.map(
        ({ name, host, port, pid, ready, detail }) =>
          `  ${name.padEnd(18)} ${`${host}:${port}`.padEnd(22)} ${pid === undefined ? '' : `pid ${pid} `}${ready ? 'ready' : 'NOT READY'}: ${detail}`,
      ),
    ),
    'Lag',
    ...linesOf(status.lag, (lags) => {
      const behind = lags.filter(({ records }) => records > 0);
      if (behind.length === 0) return ['none'];
      return behind.map(
        ({ group, topic, partition, records, marketSeconds }) =>
          `${group}  ${topic}-${partition}: ${counted(records, 'record')}, ${marketSeconds === null ? '?' : marketSeconds.toFixed(0)} s of the market`,
      );
    }),
    'Instruments, by the newest records',
    ...linesOf(
      status.instruments,
      (instruments) => {
        const table = new Table({
          head: ['instrument', 'last trade', 'last decision'],
          style: { head: [], border: [] },
        });
        const shown = instruments.slice(0, LINES_MAX);
        for (const { instrument, lastTradeUs, lastDecisionUs } of shown) {
          table.push([instrument, timeText(lastTradeUs), timeText(lastDecisionUs)]);
        }
        const more = instruments.length - shown.length;
        return [
          ...(shown.length === 0 ? ['none'] : table.toString().split('\n')),
          ...(more > 0 ? [`and ${more.toLocaleString('en')} more`] : []),
        ];
      },
      false,
    ),
    'Dead letters',
    ...linesOf(status.deadLetters, ({ total, byReason }) => [
      `${total.toLocaleString('en')}${Object.entries(byReason)
        .map(([reason, count]) => `  ${reason} ${count.toLocaleString('en')}`)
        .join('')}`,
    ]),
    'Conflicts',
    ...linesOf(status.conflicts, (conflicts) => Object.entries(conflicts).map(([name, count]) => `${name} ${count}`)),
    "Events held to the engine's roots",
    ...linesOf(status.roots, (roots) =>
      Object.entries(roots).map(([name, outputs]) => `${name}: ${rootsText(outputs)}`),
    ),
    'Oracle',
    ...linesOf(status.oracle, (oracle) => [oracleText(oracle)]),
    'Checkpoints',
    ...linesOf(status.checkpoints, (states) => checkpointsText(states, status.atMs)),
    'Gaps',
    ...linesOf(status.gaps, ({ gaps, missingTrades }) => [
      `${counted(gaps, 'gap')}, ${counted(missingTrades, 'trade')} missing`,
    ]),
  ].join('\n');
}

function linesOf<Value>(part: Part<Value>, lines: (value: Value) => readonly string[], isBounded = true): string[] {
  const all = 'value' in part ? lines(part.value) : [`not known: ${part.missing}`];
  return (isBounded ? bounded(all) : all).map((line) => `  ${line}`);
}

function bounded(lines: readonly string[]): readonly string[] {
  if (lines.length <= LINES_MAX) return lines;
  return [...lines.slice(0, LINES_MAX), `  and ${(lines.length - LINES_MAX).toLocaleString('en')} more`];
}

function timeText(timeUs: number | null): string {
  return timeUs === null ? '' : isoTimeOf(timeUs);
}
