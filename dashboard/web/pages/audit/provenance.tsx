import type { AuditResponse } from '../../../contract/audit.ts';
import { countText } from '../../format/numbers.ts';

/** Who ordered the configuration, and where the trades come from. */
export function Provenance({ audit: { provenance } }: { readonly audit: AuditResponse }) {
  const {
    tapeId,
    activationId,
    engineVersion,
    gitCommit,
    configHash,
    actor,
    reason,
    approver,
    sources,
    sourcesNotNamed,
  } = provenance;
  const rows: readonly (readonly [string, string])[] = [
    ['Ordered by', actor ?? 'not recorded'],
    ['Reason', reason ?? 'not recorded'],
    ['Approved by', approver ?? 'not recorded'],
    ['Engine', engineVersion],
    ['Commit', gitCommit],
    ['Configuration', configHash],
    ['Activation', activationId],
    ['Tape', tapeId],
    ...sources.map(({ source, trades }): readonly [string, string] => [
      'Trades from',
      `${source}, ${countText(trades)}`,
    ]),
    ...(sourcesNotNamed === 0 ? [] : [['Further sources', countText(sourcesNotNamed)] as const]),
  ];
  return (
    <section class="card" aria-label="Provenance">
      <div class="card-head">
        <h2>Who put it in force, and where the trades come from</h2>
      </div>
      <dl class="facts">
        {rows.map(([name, value]) => (
          <div key={`${name} ${value}`}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
