import { CLOSED } from './infrastructure.ts';

/** Where containers find Kafka. */
export const KAFKA_BROKERS = 'kafka:9092';

/** YAML 1.1 where it is read as such: `no` is quoted. Long lines are not folded. */
export const COMPOSE_YAML = { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false } as const;

/** Of each container of our image. */
export const OURS = {
  image: 'tapeproof:${TAPEPROOF_VERSION:-local}',
  build: { context: '.', args: { COMMIT: '${TAPEPROOF_GIT_COMMIT:-}' } },
  user: '1000:1000',
  read_only: true,
  tmpfs: ['/tmp'],
  ...CLOSED,
} as const;

/** Of a container that does one thing: the image's check is for those that stay. */
export const ENDS = { restart: 'no', healthcheck: { disable: true } } as const;
