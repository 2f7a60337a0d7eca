import type { RedisProjector } from '../projector.ts';

type Named = Pick<RedisProjector, 'name' | 'keyspace' | 'index'>;

/** Keys about all generations of a projector, for example `tp:redis-latest:live`. */
export function projectorKeys({ name, keyspace }: Named) {
  const key = (suffix: string): string => `${keyspace}:${name}:${suffix}`;
  return {
    /** The generation that readers read. */
    live: key('live'),
    /** The generation that a rebuild is building. */
    building: key('building'),
    /** The greatest generation so far: every number is used once. */
    newest: key('newest'),
    /** While it exists, writers of the live generation wait. It expires, so that a rebuild that dies blocks nobody. */
    frozen: key('frozen'),
  };
}

/** Keys of one generation, for example `tp:3:{5}:latest:BTC-USDT@binance`; braces keep a partition's keys together. */
export function generationKeys({ keyspace, index }: Named, generation: number) {
  const base = `${keyspace}:${generation}:`;
  const of = (partition: number, suffix: string): string => `${base}{${partition}}:${suffix}`;
  return {
    base,
    /** Hash: entity to partition. */
    index: `${base}${index}`,
    /** Set: the partitions that were read. */
    partitions: `${base}partitions`,
    /** Hash: `tapeId`, and for each topic `<topic>:nextOffset` and `<topic>:nextSequence`. */
    position: (partition: number) => of(partition, 'position'),
    /** Hash: for each topic `<topic>:read`, `<topic>:applied` and so on. */
    ledger: (partition: number) => of(partition, 'ledger'),
    /** Hash: the entity's fields. */
    latest: (partition: number, entity: string) => of(partition, `latest:${entity}`),
    /** Set: ids seen at the entity's latest time, to recognise duplicates. */
    ties: (partition: number, timeField: string, entity: string) => of(partition, `ties:${timeField}:${entity}`),
  };
}

/** The keys with a generation's values; the others record how far it was read. */
export function holdsValues(suffix: string): boolean {
  return !/^(\{\d+\}:(position|ledger)|partitions)$/.test(suffix);
}
