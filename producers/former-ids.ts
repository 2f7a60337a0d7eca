import type { Trade } from '../contracts/generated/events.ts';
import { contentIdOf, contentOf } from './content-id.ts';

const FORMER_ID = /^([0-9a-f]{16})-\d+$/;

/** Whether a trade's id is the hash of its file and its row number, as given to files without ids before. */
export function isFormerId({ tradeId, source }: Trade): boolean {
  const fileHash = FORMER_ID.exec(tradeId)?.[1];
  return fileHash !== undefined && source === `file:${fileHash}`;
}

/** The present ids of one instrument's trades with former ids: their content and ordinal among equals. */
export class FormerIds {
  private readonly met = new Set<string>();
  /** By file and content. */
  private readonly ordinals = new Map<string, number>();

  /** Call in the order of the tape; undefined where the same row occurs a second time. */
  contentIdOf(trade: Trade): string | undefined {
    const { tradeId, source } = trade;
    if (this.met.has(tradeId)) return undefined;
    this.met.add(tradeId);
    const content = contentOf(trade);
    const key = `${source} ${content}`;
    const ordinal = this.ordinals.get(key) ?? 0;
    this.ordinals.set(key, ordinal + 1);
    return contentIdOf(content, ordinal);
  }
}
