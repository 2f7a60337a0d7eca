/** The colours of the page's style, for what is drawn on a canvas. */
export interface ChartTheme {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly card: string;
  readonly accent: string;
  readonly accentSoft: string;
  readonly onAccent: string;
}

/** Of now: dark or light. */
export function chartTheme(): ChartTheme {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ ink: color('ink'), muted: color('muted'), line: color('line'), lineStrong: color('line-strong') },
    ...{ card: color('card'), accent: color('accent'), accentSoft: color('accent-soft'), onAccent: color('on-accent') },
  };
}

/** Calls back when the viewer's preference changes. @returns the end of it */
export function onThemeChange(callback: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', callback);
  return () => {
    dark.removeEventListener('change', callback);
  };
}
