/** A number of things for people: `1 trade`, `2,000 trades`. Nouns that take an s. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
