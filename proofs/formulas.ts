import type { StrategyResult } from '../contracts/generated/events.ts';
import { hasTheseFormulas, type EngineConfiguration } from '../evaluators/configuration.ts';
import { ProbabilityEngine, type PooledDecision } from '../evaluators/probability/probability-engine.ts';
import { STRATEGIES } from '../evaluators/strategies/catalogue.ts';
import type { Opinion } from '../evaluators/strategies/strategy.ts';
import type { Chain, Forecast } from './chain.ts';
import { asHeld, signalsOfResult } from './result-signals.ts';

/**
 * A strategy's opinion on a snapshot and the signals that its result names, formed again; undefined when this build or the configuration does not have the
 * strategy.
 */
export function opinionAgain(
  result: StrategyResult,
  { snapshot, signals }: Pick<Chain, 'snapshot' | 'signals'>,
  { strategies }: EngineConfiguration,
): Opinion | undefined {
  const strategy = STRATEGIES.find(({ name }) => name === result.strategy);
  const setting = strategies[result.strategy];
  if (strategy === undefined || setting === undefined) return undefined;
  return strategy.configure(setting.parameters)(snapshot.event, signalsOfResult(result, signals).map(asHeld));
}

/** The decision pooled again from the strategy results of a chain. */
export function pooledAgain({ results }: Pick<Chain, 'results'>, configuration: EngineConfiguration): PooledDecision {
  return new ProbabilityEngine(configuration.pooling).pool(
    results.map(({ event: { direction, confidence, strategy, calibration } }) => ({
      direction,
      evidence: calibration?.evidence ?? Number.NaN,
      slope: calibration?.slope ?? Number.NaN,
      confidence,
      weight: configuration.strategies[strategy]?.weight ?? Number.NaN,
    })),
  );
}

/**
 * The formula with its figures behind each forecast of a chain, for people, by the forecast's event id. Events of
 * engine versions 1 to 3 carry it; for those from 4 on it is made here. Events of a later version have none.
 */
export function reasoningOf(chain: Chain, configuration: EngineConfiguration): Readonly<Record<string, string>> {
  const { results, decision } = chain;
  const reasoning: Record<string, string> = {};
  const explain = (forecast: Forecast, made: () => string | undefined): void => {
    const text = hasTheseFormulas(forecast.engineVersion) ? made() : forecast.reasoning;
    if (text !== undefined && text !== '') reasoning[forecast.eventId] = text;
  };
  for (const { event } of results) {
    explain(event, () => opinionAgain(event, chain, configuration)?.reasoning());
  }
  if (decision !== undefined) explain(decision.event, () => pooledAgain(chain, configuration).reasoning());
  return reasoning;
}
