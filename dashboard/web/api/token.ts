import { signal } from '@preact/signals';

const STORAGE_KEY = 'tapeproof-token';

/** The bearer token that the viewer entered; empty where the server needs none. It lasts as long as the tab. */
export const token = signal(sessionStorage.getItem(STORAGE_KEY) ?? '');

export function rememberToken(text: string): void {
  token.value = text;
  sessionStorage.setItem(STORAGE_KEY, text);
}
