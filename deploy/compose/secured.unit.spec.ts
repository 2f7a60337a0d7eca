import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { passwordsFrom } from '../../stack/kafka-passwords.ts';
import { principalOf, ROLES } from '../../stack/kafka-principals.ts';
import { SERVICES } from '../services.ts';
import { composeFile } from './compose.ts';
import { SECURED_FILE, securedServices, securedText } from './secured.ts';
import schema from './schema/compose-spec.json' with { type: 'json' };

const REPOSITORY = join(import.meta.dirname, '..', '..');
const textOf = (name: string): string => readFileSync(join(REPOSITORY, name), 'utf8');
const plain = composeFile().services;
const secured = securedServices();

describe(SECURED_FILE, () => {
  it('is what the list of services makes of it, and follows the Compose Specification', () => {
    const text = textOf(SECURED_FILE);
    expect(text).toBe(securedText());
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  });

  it('changes services that docker-compose.yml has, and adds what grants the rules', () => {
    expect(Object.keys(secured).filter((name) => plain[name] === undefined)).toEqual(['kafka-access']);
    const granting = secured['kafka-access'];
    expect(granting?.depends_on).toEqual({ kafka: { condition: 'service_healthy' } });
    const given = Object.fromEntries(Object.keys(granting?.environment ?? {}).map((name) => [name, `${name} given`]));
    expect(Object.keys(passwordsFrom(given).roles)).toEqual(ROLES);
    expect(() => passwordsFrom({ ...given, TAPEPROOF_KAFKA_ENGINE_PASSWORD: '' })).toThrow(
      'Set TAPEPROOF_KAFKA_ENGINE_PASSWORD:',
    );
  });

  it('gives each service the principal of its role and that password alone, once the rules are granted', () => {
    for (const { name, role } of SERVICES) {
      const { environment = {}, depends_on: needs } = secured[name] ?? {};
      expect(environment, name).toMatchObject({
        TAPEPROOF_KAFKA_USERNAME: principalOf(role),
        TAPEPROOF_KAFKA_PASSWORD: expect.stringContaining(
          `{TAPEPROOF_KAFKA_${role.toUpperCase()}_PASSWORD:?`,
        ) as string,
      });
      expect(needs).toEqual({ 'kafka-access': { condition: 'service_completed_successfully' } });
      const passwords = JSON.stringify(environment).match(/TAPEPROOF_KAFKA_\w+_PASSWORD/g);
      expect(new Set(passwords).size, name).toBe(1);
    }
  });

  it('leaves nobody with an address of Kafka or the registry without credentials', () => {
    for (const [name, { environment = {} }] of Object.entries(plain)) {
      if (name === 'kafka' || !/kafka:9092|registry:8080/.test(JSON.stringify(environment))) continue;
      expect(JSON.stringify(secured[name]?.environment), name).toMatch(/SASL_PLAINTEXT.*_PASSWORD:\?/);
    }
    expect(JSON.stringify(secured['kafka']?.environment)).not.toMatch(/:PLAINTEXT|ANONYMOUS/);
    expect(secured['kafka']?.environment).toMatchObject({ KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: 'false' });
  });

  it('has passwords without defaults, and a page that makes each', () => {
    const text = textOf(SECURED_FILE);
    const page = textOf('docs/security.md');
    const names = new Set([...text.matchAll(/\$\{(\w*PASSWORD)\b/g)].map(([, name = '']) => name));
    expect(names.size).toBe(ROLES.length + 3);
    for (const name of names) {
      expect(text).not.toMatch(new RegExp(`\\$\\{${name}(?!:\\?)`));
      expect(page).toMatch(new RegExp(`\\b${name.slice('TAPEPROOF_'.length)}\\b`));
    }
  });
});
