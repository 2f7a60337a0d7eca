import { textsOf, tlsRefusal } from '../security/tls.ts';

const WRONG_CREDENTIALS =
  /SASL_AUTHENTICATION_FAILED|SASL authentication failed|SASL \S+( \S+)? authentication failed|invalid credentials/i;
const MECHANISM_NOT_OFFERED =
  /UNSUPPORTED_SASL_MECHANISM|mechanism is not supported|does not support the requested SASL/i;
const NOT_ALLOWED = /^(TOPIC|GROUP|CLUSTER|TRANSACTIONAL_ID)_AUTHORIZATION_FAILED$/;

/**
 * Why Kafka does not serve this process although it is there, as one sentence; undefined for any other failure. Asking
 * again does not help until somebody has changed a setting.
 */
export function kafkaRefusal(error: unknown): string | undefined {
  const tls = tlsRefusal(error, 'KAFKA');
  if (tls !== undefined) return `Kafka ${tls}`;
  const texts = textsOf(error);
  if (texts.some((text) => MECHANISM_NOT_OFFERED.test(text))) {
    return 'Kafka does not offer the SASL mechanism of this process: set TAPEPROOF_KAFKA_SASL_MECHANISM to one that it offers.';
  }
  if (texts.some((text) => WRONG_CREDENTIALS.test(text))) {
    return 'Kafka does not accept who this process says it is: look at TAPEPROOF_KAFKA_USERNAME and TAPEPROOF_KAFKA_PASSWORD, or at its token.';
  }
  const [, resource] = texts.map((text) => NOT_ALLOWED.exec(text)).find((match) => match !== null) ?? [];
  if (resource === undefined) return undefined;
  const what = { TOPIC: 'a topic', GROUP: 'a consumer group', CLUSTER: 'the cluster' }[resource] ?? 'a transaction';
  return `Kafka does not allow this process what it asks of ${what}: give its principal the access rules of docs/security-kafka.md.`;
}
