import { encodeBody } from '../contracts/codec.ts';
import { deadLetterOfRecord } from '../contracts/dead-letter.ts';
import type { DeadLetter, Trade } from '../contracts/generated/events.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import type { UnprovenTrade } from './market-clock.ts';

/** Names the engine in its dead letters. */
export const ENGINE_READER = 'engine';

/** The dead letter of a record of the tape. */
export function letterOf(partition: number, offset: number, bytes: Buffer, refusal: Refusal): DeadLetter {
  return deadLetterOfRecord(ENGINE_READER, { topic: TAPE_TOPIC, partition, offset }, bytes, refusal);
}

/** A trade ahead of the clock whose time stamp other trades have disproved: it was read earlier, and is refused now. */
export function disprovedLetterOf(partition: number, { trade, offset }: UnprovenTrade): DeadLetter {
  const detail = `the event time ${trade.eventTime} µs is further ahead of the other trades of ${trade.instrument} than clock.maxStepMs allows, and none confirmed it: "npx tapeproof tape release" takes it in`;
  return letterOf(partition, offset, encodeBody('Trade', trade), { reason: 'CLOCK_LEAD', detail });
}

/** Why a price of 0 or below is refused. */
export function refusalOfPrice({ instrument, price }: Trade): Refusal {
  const detail = `the price ${price.toString()} is not above 0: instruments.${instrument}.negativePrices in the configuration allows such prices`;
  return { reason: 'NOT_POSITIVE', detail };
}
