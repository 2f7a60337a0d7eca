import { chmod, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectByTls } from 'node:tls';
import { StackError } from './errors.ts';
import { writePrivateFile } from './private-file.ts';
import { REDIS_APPLICATION, redisUsers } from './redis-users.ts';
import { onPath } from './run.ts';
import { certify } from './security.ts';
import { PROBE_TIMEOUT_MS, type Service, type ServiceSetting } from './service.ts';

const BUNDLED: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-7.0.15-linux-amd64',
  'linux-arm64': 'redis-server-7.0.15-linux-arm64',
  'darwin-x64': 'redis-server-7.0.15-darwin-amd64',
  'darwin-arm64': 'redis-server-7.0.15-darwin-arm64',
};

const EVERYBODY_MAY_RUN = 0o555;
const USERS_FILE = 'users.acl';

/** The Redis bundled with a Java test library: the same version on every machine, and in docker-compose.yml. */
export const redis: Service = {
  name: 'redis',
  title: 'Redis',
  needs: [],
  stopSignal: 'SIGTERM',
  startDeadlineMs: 30_000,
  stopDeadlineMs: 20_000,
  ports: (ports) => [ports.redis],

  async prepare(setting) {
    const { folder, secrets } = setting;
    await writePrivateFile(join(folder, USERS_FILE), redisUsers(secrets));
    const settings = {
      bind: '127.0.0.1',
      ...(await portSettings(setting)),
      daemonize: 'no',
      dir: '.',
      aclfile: USERS_FILE,
      // Durable across a restart; an evicted key would be a wrong answer.
      appendonly: 'yes',
      save: '',
      'maxmemory-policy': 'noeviction',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    return { file: await serverProgram(setting), args, cwd: folder };
  },

  probe(port, { redisApplication, secured }) {
    const greeting = `AUTH ${REDIS_APPLICATION} ${redisApplication}\r\nPING\r\n`;
    return new Promise((resolve, reject) => {
      const place = { host: '127.0.0.1', port, timeout: PROBE_TIMEOUT_MS };
      const greet = (): unknown => socket.write(greeting);
      const socket =
        secured === undefined
          ? connect(place, greet)
          : connectByTls({ ...place, ca: secured.authority.certificate }, greet);
      let answers = '';
      socket.on('data', (chunk: Buffer) => {
        answers += chunk.toString('utf8');
        const refusal = /^-.*$/m.exec(answers)?.[0];
        if (refusal === undefined && !answers.includes('+PONG\r\n')) return;
        socket.destroy();
        if (refusal === undefined) resolve();
        else reject(new Error(`it answers ${refusal}`));
      });
      socket.once('timeout', () => socket.destroy(new Error('it does not answer in time')));
      socket.once('error', reject);
      socket.once('close', () => {
        reject(new Error('it closed the connection'));
      });
    });
  },
};

async function portSettings({ options, secrets, folder }: ServiceSetting): Promise<Readonly<Record<string, string>>> {
  const port = String(options.ports.redis);
  if (secrets.secured === undefined) return { port };
  const { caFile, certificateFile, keyFile } = await certify(secrets.secured, 'redis', folder);
  return {
    port: '0',
    'tls-port': port,
    'tls-cert-file': certificateFile,
    'tls-key-file': keyFile,
    'tls-ca-cert-file': caFile,
    // Clients are identified by their password.
    'tls-auth-clients': 'no',
  };
}

async function serverProgram({ part }: ServiceSetting): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const name = BUNDLED[platform];
  if (name === undefined) {
    const installed = onPath('valkey-server') ?? onPath('redis-server');
    if (installed !== undefined) return installed;
    throw new StackError(`There is no bundled Redis for ${platform}: install redis-server or valkey-server.`);
  }
  const program = join(await part('redis'), name);
  // If another user fetched it, it already has the right mode, and is not ours to change.
  if (((await stat(program)).mode & EVERYBODY_MAY_RUN) !== EVERYBODY_MAY_RUN) await chmod(program, 0o755);
  return program;
}
