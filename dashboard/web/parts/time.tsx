import { ageText, timeText } from '../format/times.ts';
import { nowMs } from './clock.ts';

/** A market time in the viewer's zone; UTC on hover. @param us microseconds since 1970 */
export function Time({ us }: { readonly us: number }) {
  const { local, utc, iso } = timeText(us / 1_000, nowMs.peek());
  return (
    <time dateTime={iso} title={utc}>
      {local}
    </time>
  );
}

/** How long ago a moment of the viewer's clock was, counting on. */
export function Age({ sinceMs }: { readonly sinceMs: number }) {
  return <>{ageText(Math.max(0, nowMs.value - sinceMs))}</>;
}
