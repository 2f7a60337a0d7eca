import { refusalOfSignal } from './context-rules.ts';
import type { TapeContent } from './tape-content.ts';
import { refusalOf, refusalOfAmendment, refusalOfGap, refusalOfWatermark, type Refusal } from './trade-rules.ts';

/** A record of the tape that can be read and is not an activation. */
export type FactContent = Exclude<TapeContent, { readonly kind: 'unusable' | 'activation' }>;

/** Why a record of the tape is not valid, or undefined when it is well-formed. */
export function refusalOfContent(content: FactContent): Refusal | undefined {
  switch (content.kind) {
    case 'trade':
      return refusalOf(content.trade);
    case 'watermark':
      return refusalOfWatermark(content.watermark);
    case 'gap':
      return refusalOfGap(content.gap);
    case 'amendment':
      return refusalOfAmendment(content.amendment);
    case 'signal':
      return refusalOfSignal(content.signal);
  }
}
