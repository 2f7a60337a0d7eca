import { FINGERPRINTS } from '../contracts/codec.ts';
import { TOPIC_OF_DERIVED, type DerivedName } from '../contracts/topics.ts';
import type { ActivationTerms } from './activation-terms.ts';
import { ENGINE_VERSION } from './configuration.ts';

/** True when this build cannot derive the events that the activation requires: another engine, or events in other schemas. */
export function isForeign(activation: ActivationTerms): boolean {
  if (activation.engineVersion !== ENGINE_VERSION) return true;
  return (Object.keys(TOPIC_OF_DERIVED) as DerivedName[]).some(
    (name) => activation.writerFingerprints[name] !== FINGERPRINTS[name],
  );
}
