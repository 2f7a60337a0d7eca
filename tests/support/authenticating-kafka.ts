import { once } from 'node:events';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { signCertificate, type Certified } from '../../stack/certificates.ts';
import { kafkaBrokers, propertiesText } from '../../stack/kafka.ts';
import { ensureCluster } from '../../stack/cluster.ts';
import { DEFAULT_STACK_OPTIONS, freePorts } from '../../stack/options.ts';
import { Parts } from '../../stack/parts.ts';
import { spawnPrivately } from '../../stack/process.ts';
import { ensureSecrets } from '../../stack/secrets.ts';
import { until } from './until.ts';

/** Validates signed tokens; the registry's part has it, Kafka's has not. */
const JOSE_JAR = 'lib/org.bitbucket.b_c.jose4j-0.9.6.jar';
const STOP_SIGNAL = 'SIGTERM';

export interface AuthenticatingKafka {
  /** `127.0.0.1:port` of the listener that requires the certificate of a client. */
  readonly byCertificate: string;
  /** `127.0.0.1:port` of the listener that requires a token. */
  readonly byToken: string;
  /** `127.0.0.1:port` of a listener in plain text, for the test's own administration. */
  readonly open: string;
  /** All that the broker has logged so far. */
  readonly log: () => string;
  stop(): Promise<void>;
}

export interface AuthenticationWish {
  readonly folder: string;
  /** Signs the broker's certificate, and those of its clients. */
  readonly authority: Certified;
  readonly issuer: string;
  readonly audience: string;
  /** The public keys of the issuer: a JSON Web Key Set. */
  readonly keySet: object;
  /** A session lasts no longer than this, nor longer than its token. */
  readonly sessionMsMax: number;
}

/** A broker of its own, beside the stack: its clients prove who they are by certificate (mutual TLS) or by a signed token. */
export async function startAuthenticatingKafka(wish: AuthenticationWish): Promise<AuthenticatingKafka> {
  const folder = join(wish.folder, 'kafka');
  await mkdir(folder, { recursive: true });
  const ports = await freePorts();
  const { partsFolder } = DEFAULT_STACK_OPTIONS;
  const options = { folder: wish.folder, partsFolder, ports, isShortLived: true };
  const parts = new Parts(options.partsFolder, () => undefined);
  const { kafka } = kafkaBrokers;
  const command = await kafka.prepare({
    ...{
      options,
      folder,
      cluster: await ensureCluster(options),
      secrets: await ensureSecrets(wish.folder),
      user: undefined,
    },
    part: (name) => parts.folder(name),
    lend: (programs) => Promise.resolve(programs),
    handOver: () => Promise.resolve(),
  });
  const keySetFile = join(folder, 'keys.json');
  await writeFile(keySetFile, JSON.stringify(wish.keySet));
  // The last value of a property counts.
  await appendFile(join(folder, 'server.properties'), propertiesText(await listeners(wish, folder, ports, keySetFile)));
  const jose = join(await parts.folder('registry'), JOSE_JAR);
  const args = command.args.map((arg) => (arg === '*' ? `*:${jose}` : arg));
  const allowed = `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${keySetFile}`;
  const child = spawnPrivately({ ...command, args: [allowed, ...args] }, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  try {
    await until('the broker answers', () => kafka.probe(ports.kafka, {} as never).then(() => true));
  } catch (error) {
    await stop(child);
    throw new Error(`the broker did not start: ${log.slice(-2_000)}`, { cause: error });
  }
  return {
    byCertificate: `127.0.0.1:${ports.registry}`,
    byToken: `127.0.0.1:${ports.postgres}`,
    open: `127.0.0.1:${ports.kafka}`,
    log: () => log,
    stop: () => stop(child),
  };
}

async function listeners(
  { authority, issuer, audience, sessionMsMax }: AuthenticationWish,
  folder: string,
  ports: Awaited<ReturnType<typeof freePorts>>,
  keySetFile: string,
): Promise<Record<string, string | number>> {
  const { certificate, key } = await signCertificate(authority, { name: 'broker' });
  const files = { key: join(folder, 'broker.pem'), authority: join(folder, 'authority.pem') };
  await writeFile(files.key, `${key}${certificate}\n`);
  await writeFile(files.authority, authority.certificate);
  const clients = `OPEN://127.0.0.1:${ports.kafka},MUTUAL://127.0.0.1:${ports.registry},TOKEN://127.0.0.1:${ports.postgres}`;
  const token = 'listener.name.token.oauthbearer';
  return {
    listeners: `${clients},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': clients,
    'listener.security.protocol.map': 'OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT,MUTUAL:SSL,TOKEN:SASL_SSL',
    'inter.broker.listener.name': 'OPEN',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': files.key,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': files.authority,
    'listener.name.mutual.ssl.client.auth': 'required',
    'listener.name.token.sasl.enabled.mechanisms': 'OAUTHBEARER',
    [`${token}.sasl.jaas.config`]: 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;',
    [`${token}.sasl.server.callback.handler.class`]:
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler',
    [`${token}.connections.max.reauth.ms`]: sessionMsMax,
    'sasl.oauthbearer.jwks.endpoint.url': `file://${keySetFile}`,
    'sasl.oauthbearer.expected.issuer': issuer,
    'sasl.oauthbearer.expected.audience': audience,
    // By default it accepts a token for half a minute after its end.
    'sasl.oauthbearer.clock.skew.seconds': 1,
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(STOP_SIGNAL);
  await ended;
}
