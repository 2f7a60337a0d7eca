/** A count with its noun, for people: `1 trade`, `2,000 trades`. For nouns whose plural adds an s. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
