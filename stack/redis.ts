import { readFileSync } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectByTls } from 'node:tls';
import { StackError } from './errors.ts';
import { onPath } from './run.ts';
import { certify } from './security.ts';
import { PROBE_TIMEOUT_MS, type Service, type ServiceSetting } from './service.ts';

const BUNDLED: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
};

const EVERYBODY_MAY_RUN = 0o555;

/** Valkey or Redis from the PATH, else the Redis that a Java test library carries. */
export const redis: Service = {
  name: 'redis',
  title: 'Redis',
  needs: [],
  stopSignal: 'SIGTERM',
  startDeadlineMs: 30_000,
  stopDeadlineMs: 20_000,
  ports: (ports) => [ports.redis],

  async prepare(setting) {
    const settings = {
      bind: '127.0.0.1',
      ...(await portSettings(setting)),
      daemonize: 'no',
      dir: '.',
      // Durable across a restart; an evicted key would be a wrong answer.
      appendonly: 'yes',
      save: '',
      'maxmemory-policy': 'noeviction',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    return { file: await serverProgram(setting), args, cwd: setting.folder };
  },

  probe(port, security) {
    return new Promise((resolve, reject) => {
      const place = { host: '127.0.0.1', port, timeout: PROBE_TIMEOUT_MS };
      const ask = (): unknown => socket.write('PING\r\n');
      const socket =
        security === undefined
          ? connect(place, ask)
          : connectByTls({ ...place, ca: readFileSync(security.caFile) }, ask);
      socket.once('data', (answer: Buffer) => {
        socket.destroy();
        const text = answer.toString('utf8').trim();
        if (text === '+PONG') resolve();
        else reject(new Error(`it answers ${text}`));
      });
      socket.once('timeout', () => socket.destroy(new Error('it does not answer in time')));
      socket.once('error', reject);
      socket.once('close', () => {
        reject(new Error('it closed the connection'));
      });
    });
  },
};

async function portSettings({ options, security, folder }: ServiceSetting): Promise<Readonly<Record<string, string>>> {
  const port = String(options.ports.redis);
  if (security === undefined) return { port };
  const { caFile, certificateFile, keyFile } = await certify(security, 'redis', folder);
  return {
    port: '0',
    'tls-port': port,
    'tls-cert-file': certificateFile,
    'tls-key-file': keyFile,
    'tls-ca-cert-file': caFile,
    // Clients are known by their password.
    'tls-auth-clients': 'no',
  };
}

async function serverProgram({ part }: ServiceSetting): Promise<string> {
  const installed = onPath('valkey-server') ?? onPath('redis-server');
  if (installed !== undefined) return installed;
  const platform = `${process.platform}-${process.arch}`;
  const name = BUNDLED[platform];
  if (name === undefined) {
    throw new StackError(`There is no bundled Redis for ${platform}: install redis-server or valkey-server.`);
  }
  const program = join(await part('redis'), name);
  // Fetched by another user, it is already as it should be, and not ours to change.
  if (((await stat(program)).mode & EVERYBODY_MAY_RUN) !== EVERYBODY_MAY_RUN) await chmod(program, 0o755);
  return program;
}
