import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connectionsFrom } from '../connections.ts';
import { secretSetting } from './settings.ts';
import { tlsFrom } from './tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'tapeproof-settings-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileWith(content: string): string {
  const file = join(folder, `${Math.abs(content.length)}-secret`);
  writeFileSync(file, content);
  return file;
}

const PASSWORD = 'TAPEPROOF_KAFKA_PASSWORD';
const refused = (message: string): Error => expect.objectContaining({ code: 'CONFIGURATION', message }) as Error;

describe('secretSetting', () => {
  it('is the value, or the content of the file without its last newline', () => {
    expect(secretSetting({ [PASSWORD]: 'direct-value' }, PASSWORD)).toBe('direct-value');
    for (const [content, secret] of [
      ['from a file\n', 'from a file'],
      ['carriage return\r\n', 'carriage return'],
      ['two newlines\n\n', 'two newlines\n'],
      [' spaces stay ', ' spaces stay '],
    ] as const) {
      expect(secretSetting({ [`${PASSWORD}_FILE`]: fileWith(content) }, PASSWORD)).toBe(secret);
    }
    expect(secretSetting({ [PASSWORD]: '', [`${PASSWORD}_FILE`]: '' }, PASSWORD)).toBeUndefined();
  });

  it('refuses both, a missing file and an empty one, naming the variable and never a value', () => {
    const both = { [PASSWORD]: 'value-one', [`${PASSWORD}_FILE`]: fileWith('value-two') };
    expect(() => secretSetting(both, PASSWORD)).toThrow(
      refused(`${PASSWORD} and ${PASSWORD}_FILE are both set: give one of them.`),
    );
    expect(() => secretSetting({ [`${PASSWORD}_FILE`]: '/nowhere/s3cret' }, PASSWORD)).toThrow(
      refused(
        `The file that ${PASSWORD}_FILE names cannot be read (ENOENT): give the path of a file that this process may read.`,
      ),
    );
    expect(() => secretSetting({ [`${PASSWORD}_FILE`]: folder }, PASSWORD)).toThrow(/_FILE names cannot be read/);
    expect(() => secretSetting({ [`${PASSWORD}_FILE`]: fileWith('\n') }, PASSWORD)).toThrow(/is empty/);
  });
});

describe('connectionsFrom with separate secrets', () => {
  it('puts user name and password into the URL', () => {
    const environment = {
      TAPEPROOF_POSTGRES_URL: 'postgres://127.0.0.1:5432/tapeproof',
      TAPEPROOF_POSTGRES_USERNAME: 'reader',
      TAPEPROOF_POSTGRES_PASSWORD_FILE: fileWith('p@ss/word%2\n'),
      TAPEPROOF_REDIS_URL_FILE: fileWith('rediss://127.0.0.1:1\n'),
    };
    expect(connectionsFrom(environment)).toEqual({
      postgresUrl: 'postgres://reader:p%40ss%2Fword%252@127.0.0.1:5432/tapeproof',
      redisUrl: 'rediss://127.0.0.1:1',
    });
  });

  it('refuses a password that is given twice', () => {
    const twice = { TAPEPROOF_REDIS_URL: 'redis://:one-secret@host', TAPEPROOF_REDIS_PASSWORD: 'other-secret' };
    expect(() => connectionsFrom(twice)).toThrow(
      refused('TAPEPROOF_REDIS_URL holds a password and TAPEPROOF_REDIS_PASSWORD is set too: give one of them.'),
    );
  });
});

describe('tlsFrom', () => {
  it('refuses an invalid certificate and a certificate without its key', () => {
    expect(() => tlsFrom({ TAPEPROOF_REDIS_CA_FILE: fileWith('no certificate') }, 'REDIS')).toThrow(
      /CA_FILE cannot be used/,
    );
    expect(() => tlsFrom({ TAPEPROOF_REDIS_KEY_FILE: fileWith('a key') }, 'REDIS')).toThrow(/belong together/);
    expect(tlsFrom({}, 'REDIS')).toBeUndefined();
  });
});
