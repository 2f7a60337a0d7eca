import type { Credentials } from '../venue.ts';
import type { LiveTelemetry } from './telemetry.ts';

const CONCEALED = '[concealed]';

/** Replaces an account's key and secret in a text of the venue, which may repeat what it was sent. */
export type Conceal = (text: string) => string;

/** @param credentials undefined where there is no account */
export function concealing(credentials: Credentials | undefined): Conceal {
  if (credentials === undefined) return (text) => text;
  // The longer one first: one may be part of the other.
  const words = [credentials.key, credentials.secret].filter((word) => word !== '');
  const ordered = words.toSorted((left, right) => right.length - left.length);
  return (text) => ordered.reduce((rest, word) => rest.replaceAll(word, CONCEALED), text);
}

/** Conceals in the details of events, which are texts of the venue. */
export function concealedTelemetry(telemetry: LiveTelemetry, conceal: Conceal): LiveTelemetry {
  return (event) => {
    const hasDetail = 'detail' in event && event.detail !== undefined;
    telemetry(hasDetail ? { ...event, detail: conceal(event.detail) } : event);
  };
}
