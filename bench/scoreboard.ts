import { outcomeOf } from '../proofs/scoreboard/fixtures/outcomes.ts';
import { ScoreboardCount } from '../proofs/scoreboard/scoreboard.ts';
import { SeededRandom } from '../proofs/scores/seeded-random.ts';
import { figureOf, type Figure } from './figure.ts';

const OUTCOMES = 1_000_000;
/** Made at a time, outside of what is measured. */
const CHUNK = 10_000;
const SECONDS_BELOW = 5;
const STRATEGIES = [null, 'A', 'B', 'C', 'D', 'E', 'F'];
const INSTRUMENTS = ['BTC-USDT@binance', 'ETH-USDT@binance'];
const OUTCOMES_PER_HORIZON = 300;
const MICROSECONDS_PER_SECOND = 1_000_000;
const PROBABILITY_SCALE = 1_000_000;

/** CPU time of the whole scoreboard, intervals and bands included, of outcomes that are decoded already. Needs no services. */
export function measureScoreboard(runs: number): Figure[] {
  const values = Array.from({ length: runs }, scoreboardSeconds);
  const how = `${OUTCOMES.toLocaleString('en')} outcomes in ${STRATEGIES.length * INSTRUMENTS.length} groups, user time with all threads`;
  return [figureOf('scoreboard of 1,000,000 outcomes', 's of CPU', values, how, { below: SECONDS_BELOW })];
}

function scoreboardSeconds(): number {
  const random = new SeededRandom(1);
  const count = new ScoreboardCount();
  let spent = 0;
  for (let first = 0; first < OUTCOMES; first += CHUNK) {
    const outcomes = Array.from({ length: CHUNK }, (_, index) => outcomeNumber(first + index, random));
    spent += secondsOf(() => {
      for (const outcome of outcomes) count.observe('decision.outcomes', outcome);
    });
  }
  return spent + secondsOf(() => count.board());
}

function outcomeNumber(number: number, random: SeededRandom) {
  const probability = Math.round((0.4 + 0.2 * random.uniform()) * PROBABILITY_SCALE) / PROBABILITY_SCALE;
  const strategy = STRATEGIES[number % STRATEGIES.length] ?? null;
  return outcomeOf(number, {
    ...{ strategy, forecastKind: strategy === null ? ('DECISION' as const) : ('STRATEGY' as const) },
    instrument: INSTRUMENTS[Math.floor(number / STRATEGIES.length) % INSTRUMENTS.length] ?? '',
    ...{ probability, rawProbability: probability, overlapWeight: 1 / OUTCOMES_PER_HORIZON },
    verdict: random.uniform() < probability ? 'HIT' : 'MISS',
  });
}

function secondsOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  return process.cpuUsage(before).user / MICROSECONDS_PER_SECOND;
}
