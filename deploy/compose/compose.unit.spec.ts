import { Ajv2020 } from 'ajv/dist/2020.js';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../../platform/metrics/catalogue.ts';
import { DEFAULT_STACK_OPTIONS, SERVICE_NAMES } from '../../stack/options.ts';
import { PARTS } from '../../stack/parts.ts';
import { POSTGRES_ROLES } from '../../stack/postgres-roles.ts';
import { REDIS_APPLICATION_RULES } from '../../stack/redis-users.ts';
import { HEALTH_PORT, PROCESSES, SERVICES } from '../services.ts';
import { composeFile, composeText, prometheusText } from './compose.ts';
import type { ComposeService } from './file.ts';
import schema from './schema/compose-spec.json' with { type: 'json' };

const REPOSITORY = join(import.meta.dirname, '..', '..');
const textOf = (name: string): string => readFileSync(join(REPOSITORY, name), 'utf8');
const { services } = composeFile();
const all = Object.entries(services);
const running = all.filter(([, { restart }]) => restart !== 'no');
/** Without a profile. */
const always = all.filter(([, { profiles }]) => profiles === undefined);

// Its formats are Compose's own.
const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);

describe('docker-compose.yml', () => {
  it('is what the list of services makes of it', () => {
    expect(textOf('docker-compose.yml')).toBe(composeText());
    expect(textOf('deploy/compose/prometheus.yml')).toBe(prometheusText());
  });

  it('follows the Compose Specification', () => {
    expect(validate(parse(textOf('docker-compose.yml'))), JSON.stringify(validate.errors)).toBe(true);
    const wrong = { services: { one: { image: 'one', restart: false } } };
    expect(validate(wrong)).toBe(false);
    expect(validate({ services: { one: { image: 'one', healthchek: {} } } })).toBe(false);
  });

  it('has every service of the list, with its words', () => {
    for (const { name, command } of SERVICES) {
      const words = services[name]?.command?.map((word) => word.replace(/^\$\{\w+:-(.*)\}$/, '$1'));
      expect(words, name).toEqual(command);
    }
  });

  it('has the four services of the local stack, on the same ports of this machine', () => {
    for (const name of SERVICE_NAMES) {
      expect(services[name]?.ports).toEqual([
        expect.stringMatching(
          `^127\\.0\\.0\\.1:\\$\\{TAPEPROOF_STACK_PORT_${name.toUpperCase()}:-${DEFAULT_STACK_OPTIONS.ports[name]}\\}:`,
        ),
      ]);
    }
    expect(services['kafka']?.environment).toMatchObject({
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_LOG_RETENTION_MS: -1,
    });
  });

  it.each(all)('%s is pinned, without rights, and reached from this machine only', (name, service: ComposeService) => {
    expect(service.image).toMatch(name in services && service.build ? /^tapeproof:/ : /:v?\d+\.\d+(\.\d+)?(-alpine)?$/);
    expect(service.security_opt).toContain('no-new-privileges:true');
    expect(service.cap_drop).toEqual(['ALL']);
    // Filebeat reads what only root may read; it can change nothing.
    expect(service.user ?? 'root').toMatch(name === 'filebeat' ? /^root$/ : /^(?!root|0)./);
    if (service.build !== undefined) expect(service.read_only).toBe(true);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(JSON.stringify(service)).not.toMatch(/docker\.sock|privileged|"pid"|"host"/);
  });

  it('has secrets without defaults, and trusts nobody', () => {
    const text = textOf('docker-compose.yml');
    const page = textOf('docs/security.md');
    const secrets = new Set([...text.matchAll(/\$\{(TAPEPROOF_\w*(?:PASSWORD|TOKEN|KEY))\b/g)].map(([, name]) => name));
    expect(secrets.size).toBe(6);
    for (const name of secrets) {
      expect(text).not.toMatch(new RegExp(`\\$\\{${name ?? ''}(?!:\\?)`));
      expect(page).toContain(name?.slice('TAPEPROOF_'.length));
    }
    expect(text).not.toContain('METHOD: trust');
  });

  it('creates the roles and rules of the local stack', () => {
    expect(services['redis']?.environment?.['RULES']).toBe(REDIS_APPLICATION_RULES);
    expect(`Redis ${services['redis']?.image.split(':')[1] ?? ''}`).toBe(PARTS.redis.title);
    const roles = textOf('deploy/compose/postgres-roles.sql');
    for (const role of Object.values(POSTGRES_ROLES)) expect(roles).toContain(`CREATE ROLE ${role} LOGIN PASSWORD`);
  });

  it('waits for what exists, for health where there is a check, and for the end of what ends', () => {
    for (const [name, { depends_on: needs = {} }] of all) {
      for (const [needed, { condition }] of Object.entries(needs)) {
        const service = services[needed];
        expect(service, `${name} needs ${needed}`).toBeDefined();
        const ends = service?.restart === 'no';
        expect(condition, `${name} needs ${needed}`).toBe(ends ? 'service_completed_successfully' : 'service_healthy');
        const hasCheck = service?.build !== undefined || (service?.healthcheck && 'test' in service.healthcheck);
        if (!ends) expect(hasCheck, `${needed} has a check`).toBe(true);
        // Else a start without that profile would fail.
        if (service?.profiles !== undefined) expect(services[name]?.profiles).toEqual(service.profiles);
      }
    }
  });

  it('has a running service wait for each job, so that `up --wait` ends well', () => {
    const awaited = new Set(running.flatMap(([, { depends_on: needs = {} }]) => Object.keys(needs)));
    expect(always.filter(([name, { restart }]) => restart === 'no' && !awaited.has(name))).toEqual([]);
  });

  it('has the four profiles, and the page without any', () => {
    const profiles = new Set(all.flatMap(([, service]) => service.profiles ?? []));
    expect([...profiles].sort()).toEqual(['elk', 'kafka-ui', 'observability', 'sample', 'secure']);
    expect(services['dashboard']?.profiles).toBeUndefined();
    expect(services['dashboard']?.ports).toEqual(['127.0.0.1:${TAPEPROOF_DASHBOARD_PORT:-18080}:8080']);
  });

  it('mounts only volumes that it has and files that exist', () => {
    const { volumes } = composeFile();
    for (const [name, { volumes: mounts = [] }] of all) {
      for (const source of mounts.map((mount) => mount.split(':')[0] ?? '')) {
        if (source.startsWith('./observability/')) continue;
        const isThere = source.startsWith('./') ? existsSync(join(REPOSITORY, source)) : source in volumes;
        expect(isThere || source === '/var/lib/docker/containers', `${name} mounts ${source}`).toBe(true);
      }
    }
  });

  it('publishes no port of a service that is scaled', () => {
    for (const [name, { deploy, ports }] of all) {
      if ((deploy?.replicas ?? 1) > 1) expect(ports, name).toBeUndefined();
    }
    expect(services['engine']?.deploy?.replicas).toBe(2);
  });
});

describe('deploy/compose/prometheus.yml', () => {
  it('scrapes each container of every process', () => {
    const { scrape_configs: scrapes } = parse(prometheusText()) as {
      readonly scrape_configs: readonly { readonly dns_sd_configs: readonly object[] }[];
    };
    expect(scrapes[0]?.dns_sd_configs).toEqual([
      { names: PROCESSES.map(({ name }) => name), type: 'A', port: HEALTH_PORT },
    ]);
    expect(Object.keys(METRICS).length).toBeGreaterThan(0);
  });
});
