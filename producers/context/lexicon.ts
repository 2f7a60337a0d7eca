import { afinn165FinancialMarketNews } from 'afinn-165-financialmarketnews';

/** Part of every signal's source: another version of the lexicon is another source. A test holds it to package.json. */
export const LEXICON = 'afinn-165-financialmarketnews@3.0.0';
const VALENCE_MAX = 5;
/** So many valued words support a tone half as well as it can be. */
const HALF_SAMPLE_WORDS = 3;
const WORDS_MAX = 5_000;
/** The longest entry of the lexicon has so many words. */
const PHRASE_WORDS_MAX = 3;
const DECIMALS = 1e6;

/** The tone of a text. */
export interface Tone {
  /** −1 to 1: the mean valence of the valued words, as a share of the greatest. */
  readonly value: number;
  /** 0 to 1: n / (n + 3) for n valued words. */
  readonly confidence: number;
  /** Words and phrases that the lexicon has with a valence. */
  readonly valued: number;
}

/**
 * The tone of a text by the valences of its words, as Nielsen 2011 (arXiv:1103.2903) made them, with changes for financial
 * news. A word or phrase counts each time it occurs, the longest phrase first. No negation, no irony, English only.
 */
export function toneOf(text: string): Tone {
  const words =
    text
      .toLowerCase()
      .match(/[\p{L}\p{N}'’-]+/gu)
      ?.slice(0, WORDS_MAX) ?? [];
  let sum = 0;
  let valued = 0;
  for (let at = 0; at < words.length;) {
    const { valence, length } = phraseAt(words, at);
    at += length;
    if (valence === 0) continue;
    sum += valence;
    valued += 1;
  }
  if (valued === 0) return { value: 0, confidence: 0, valued };
  return {
    value: rounded(sum / valued / VALENCE_MAX),
    confidence: rounded(valued / (valued + HALF_SAMPLE_WORDS)),
    valued,
  };
}

function phraseAt(words: readonly string[], at: number): { readonly valence: number; readonly length: number } {
  for (let length = Math.min(PHRASE_WORDS_MAX, words.length - at); length > 0; length -= 1) {
    const phrase = words
      .slice(at, at + length)
      .join(' ')
      .replaceAll('’', "'");
    // An own key: "constructor" is a word too.
    if (Object.hasOwn(afinn165FinancialMarketNews, phrase)) {
      return { valence: afinn165FinancialMarketNews[phrase] ?? 0, length };
    }
  }
  return { valence: 0, length: 1 };
}

function rounded(value: number): number {
  return Math.min(1, Math.max(-1, Math.round(value * DECIMALS) / DECIMALS + 0));
}
