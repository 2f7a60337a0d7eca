import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { StackError } from './errors.ts';
import {
  assertSeparatePorts,
  DEFAULT_STACK_OPTIONS,
  endpointsOf,
  freePorts,
  stackOptionsFromEnvironment,
  withoutPasswords,
} from './options.ts';
import { isPortFree } from './port.ts';

describe('stackOptionsFromEnvironment', () => {
  it('gives the defaults where nothing is set', () => {
    expect(stackOptionsFromEnvironment({ TAPEPROOF_STACK_PORT_KAFKA: '' })).toEqual(DEFAULT_STACK_OPTIONS);
  });

  it('takes ports and folders from the environment', () => {
    const options = stackOptionsFromEnvironment({
      TAPEPROOF_STACK_PORT_POSTGRES: '5432',
      TAPEPROOF_STACK_FOLDER: '/srv/stack',
      TAPEPROOF_STACK_PARTS_FOLDER: '/srv/parts',
    });
    expect(options.ports).toEqual({ ...DEFAULT_STACK_OPTIONS.ports, postgres: 5432 });
    expect([options.folder, options.partsFolder]).toEqual(['/srv/stack', '/srv/parts']);
  });

  it.each(['0', '65536', '-1', '80a', '1e3', ' 80'])('refuses the port "%s" as bad configuration', (text) => {
    const read = (): unknown => stackOptionsFromEnvironment({ TAPEPROOF_STACK_PORT_REDIS: text });
    expect(read).toThrow(`TAPEPROOF_STACK_PORT_REDIS is "${text}"`);
    expect(read).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  it('refuses one port for two services', () => {
    const environment = { TAPEPROOF_STACK_PORT_REDIS: '7000', TAPEPROOF_STACK_PORT_KAFKA: '7000' };
    expect(() => stackOptionsFromEnvironment(environment)).toThrow(StackError);
  });

  it('refuses the port of a further broker only where there is one', () => {
    const { ports } = stackOptionsFromEnvironment({ TAPEPROOF_STACK_PORT_REDIS: '19095' });
    expect(() => {
      assertSeparatePorts(ports, 1);
    }).not.toThrow();
    expect(() => {
      assertSeparatePorts(ports, 3);
    }).toThrow(/controller2 19095.*redis 19095/);
  });
});

describe('freePorts', () => {
  it('gives different ports that can be bound', async () => {
    const ports = Object.values({ ...(await freePorts()) });
    expect(new Set(ports).size).toBe(9);
    for (const port of ports) expect(await isPortFree(port)).toBe(true);
  });
});

describe('isPortFree', () => {
  it('sees a port that another program holds', async () => {
    const server = createServer();
    const { kafka: port } = await freePorts();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect(await isPortFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isPortFree(port)).toBe(true);
  });
});

const SECRETS = {
  postgresAdministrator: 'administering',
  postgresMigrator: 'migrating',
  postgresProjector: 'projecting',
  postgresReader: 'reading',
  redisAdministrator: 'governing',
  redisApplication: 'applying',
};

describe('endpointsOf', () => {
  it('names each service in its client’s form, and shows no password', () => {
    const ports = { ...DEFAULT_STACK_OPTIONS.ports, kafka: 1, controller: 2, registry: 3, postgres: 4, redis: 5 };
    const endpoints = endpointsOf({ ports, folder: '/stack' }, SECRETS, '/trades.csv');
    expect(endpoints).toEqual({
      kafkaBrokers: '127.0.0.1:1',
      registryUrl: 'http://127.0.0.1:3/apis/ccompat/v7',
      postgresUrl: 'postgres://tapeproof_projector:projecting@127.0.0.1:4/tapeproof',
      postgresMigratorUrl: 'postgres://tapeproof_migrator:migrating@127.0.0.1:4/tapeproof',
      postgresReaderUrl: 'postgres://tapeproof_reader:reading@127.0.0.1:4/tapeproof',
      redisUrl: 'redis://tapeproof:applying@127.0.0.1:5',
      bitstampTradesFile: '/trades.csv',
    });
    expect(endpointsOf({ ports, folder: '/stack', brokers: 3 }, SECRETS, '').kafkaBrokers).toBe(
      '127.0.0.1:1,127.0.0.1:19094,127.0.0.1:19096',
    );
    const shown = withoutPasswords(endpoints);
    expect(shown.postgresUrl).toBe('postgres://tapeproof_projector@127.0.0.1:4/tapeproof');
    expect(shown.redisUrl).toBe('redis://tapeproof@127.0.0.1:5');
    for (const secret of Object.values(SECRETS)) expect(JSON.stringify(shown)).not.toContain(secret);
  });

  it('names a secured stack by TLS, with what each role needs beside the addresses, and shows no password', () => {
    const kafka = {
      operator: 'operating',
      ingest: 'ingesting',
      engine: 'deriving',
      projector: 'keeping',
      checkpoints: 'signing',
      research: 'trying',
      reader: 'looking',
    };
    const authority = { certificate: 'a certificate', key: 'a key' };
    const secured = { authority, kafkaAdministrator: 'ruling', kafka, kafkaRegistry: 'storing', registry: 'asking' };
    const ports = { ...DEFAULT_STACK_OPTIONS.ports, kafka: 1, controller: 2, registry: 3, postgres: 4, redis: 5 };
    const endpoints = endpointsOf({ ports, folder: '/stack' }, { ...SECRETS, secured }, '/trades.csv');
    expect(endpoints).toMatchObject({
      registryUrl: 'https://tapeproof:asking@127.0.0.1:3/apis/ccompat/v7',
      redisUrl: 'rediss://tapeproof:applying@127.0.0.1:5',
    });
    expect(endpoints.settings?.engine).toMatchObject({
      TAPEPROOF_KAFKA_USERNAME: 'tapeproof-engine',
      TAPEPROOF_KAFKA_PASSWORD: 'deriving',
      TAPEPROOF_POSTGRES_CA_FILE: '/stack/ca.pem',
    });
    const shown = JSON.stringify(withoutPasswords(endpoints));
    for (const secret of [...Object.values(SECRETS), ...Object.values(kafka), 'asking']) {
      expect(shown).not.toContain(secret);
    }
  });
});
