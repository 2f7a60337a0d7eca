import { Decimal } from '../../../contracts/decimal.ts';
import { plainDecimal } from '../../numbers.ts';

/** A trade has some ten members; the bounds are against an answer that is something else. */
const LEAVES_MAX = 200;
const DEPTH_MAX = 5;

/**
 * The text of an exchange's own trade that is this number, so that no digit passes through a double: a sign aside, since
 * some write the size of a sale as a negative one.
 *
 * @param info the exchange's own trade: fractions are text, as it wrote them
 * @param value the number that ccxt read
 * @returns the problem where there is no such text, or several that are different numbers
 */
export function exactTextOf(
  info: unknown,
  value: unknown,
  name: 'price' | 'size',
): string | { readonly problem: string } {
  if (typeof value !== 'number' || !Number.isFinite(value)) return { problem: `ccxt gives no ${name}` };
  const texts = new Map<string, string>();
  for (const leaf of leavesOf(info)) {
    const text = name === 'size' ? leaf.replace(/^-/, '') : leaf;
    const plain = plainDecimal(text);
    if (plain === undefined || Number(plain) !== value) continue;
    const decimal = Decimal.parse(plain);
    texts.set(decimal instanceof Decimal ? decimal.toString() : plain, text);
  }
  const [text, ...others] = texts.values();
  if (text === undefined) return { problem: `the ${name} ${value} is not a text of the exchange: ccxt calculated it` };
  if (others.length === 0) return text;
  return { problem: `several texts of the exchange are the ${name} ${value}, which is not exact enough to choose one` };
}

/** Whether the exchange's own trade has this text, or this whole number. */
export function isTextOf(info: unknown, text: string): boolean {
  return leavesOf(info).includes(text);
}

/** The texts of a trade, and its whole numbers as text; a fraction that is a double is not a text of the exchange. */
function leavesOf(info: unknown): readonly string[] {
  const leaves: string[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (leaves.length >= LEAVES_MAX || depth > DEPTH_MAX) return;
    if (typeof value === 'string') leaves.push(value);
    else if (Number.isSafeInteger(value)) leaves.push(String(value));
    else if (typeof value === 'object' && value !== null) {
      for (const member of Object.values(value)) visit(member, depth + 1);
    }
  };
  visit(info, 0);
  return leaves;
}
