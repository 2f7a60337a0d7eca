import type { Trial, TrialsResponse } from '../../../contract/scores.ts';
import { countText, signedText } from '../../format/numbers.ts';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';

/** Backtests and what-ifs, apart from what was published: nobody could have acted on them. */
export function TrialsCard({ trials: { trials, total } }: { readonly trials: TrialsResponse }) {
  return (
    <section class="card is-apart" aria-label="Trials">
      <div class="card-head">
        <h2>
          Trials <span class="badge is-warn">hypothetical</span>
        </h2>
        <p>
          Configurations tried on recorded data. None of these figures was published before its outcome was known, and
          the best of many tries looks better than it is: mind the number of tries.
        </p>
      </div>
      {trials.length === 0 ? (
        <Empty title="No trials are on record">
          <code>tapeproof backtest --tape</code> and <code>tapeproof what-if</code> record each of theirs.
        </Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Trials">
          <table>
            <caption>
              The newest {countText(trials.length)} of {countText(total)}
            </caption>
            <thead>
              <tr>
                <th scope="col">Tried</th>
                <th scope="col">Kind</th>
                <th scope="col">Configuration</th>
                {['n', 'Brier', 'Reference', 'Skill', 'Tries'].map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {trials.map((trial) => (
                <TrialRow key={trial.trialId} trial={trial} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function TrialRow({ trial }: { readonly trial: Trial }) {
  const { triedAtUs, kind, configHash, gridPoint, actor, n, effectiveN, brier, referenceBrier, skill, tries } = trial;
  const point = Object.entries(gridPoint).map(([key, value]) => `${key} = ${value}`);
  return (
    <tr>
      <th scope="row">
        <Time us={triedAtUs} />
        <span class="sub">by {actor}</span>
      </th>
      <td>
        {kind === 'BACKTEST' ? 'backtest' : 'what-if'}
        <span class="sub">hypothetical</span>
      </td>
      <td>
        <code>{configHash.slice(0, 12)}</code>
        {point.length === 0 ? null : <span class="sub">{point.join(', ')}</span>}
      </td>
      <td class="number">
        {countText(n)}
        <span class="sub">effective {countText(Math.round(effectiveN))}</span>
      </td>
      <td class="number">{brier?.toFixed(4) ?? '–'}</td>
      <td class="number">{referenceBrier?.toFixed(4) ?? '–'}</td>
      <td class="number">{signedText(skill)}</td>
      <td class="number">{countText(tries)}</td>
    </tr>
  );
}
