import { mkdir, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { get as getByTls } from 'node:https';
import { join } from 'node:path';
import { javaProgram } from './java.ts';
import { propertiesText } from './kafka.ts';
import { REGISTRY_PRINCIPAL } from './kafka-principals.ts';
import { BROKERS, brokerAddresses, type StackPorts } from './options.ts';
import { writePrivateFile } from './private-file.ts';
import type { SecuredSecrets } from './secrets.ts';
import { certify, REGISTRY_USER } from './security.ts';
import { PROBE_TIMEOUT_MS, type Service } from './service.ts';

/** Of its part. */
export const REGISTRY_PROGRAM = 'apicurio-registry-app-3.0.9-runner.jar';

/** Apicurio, which implements the Confluent registry's API and keeps its schemas in Kafka. */
export const registry: Service = {
  name: 'registry',
  title: 'the schema registry',
  needs: BROKERS,
  stopSignal: 'SIGTERM',
  startDeadlineMs: 180_000,
  stopDeadlineMs: 20_000,
  ports: (ports) => [ports.registry],

  async prepare({ folder, options, cluster, secrets: { secured }, part }) {
    const [java, home] = await Promise.all([javaProgram(), part('registry')]);
    // The registry reads it from its working folder: passwords are neither in its arguments nor in its environment.
    const properties = join(folder, 'config', 'application.properties');
    await rm(properties, { force: true });
    if (secured !== undefined) {
      await mkdir(join(folder, 'config'), { recursive: true, mode: 0o700 });
      await writePrivateFile(properties, propertiesText(await securedProperties(options.ports, secured, folder)));
    }
    return {
      file: java,
      // One tier of compilation: it starts in two thirds of the time, and this registry gets few requests.
      args: ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-jar', join(home, REGISTRY_PROGRAM)],
      cwd: folder,
      env: {
        QUARKUS_HTTP_HOST: '127.0.0.1',
        ...(secured === undefined ? { QUARKUS_HTTP_PORT: String(options.ports.registry) } : {}),
        APICURIO_STORAGE_KIND: 'kafkasql',
        APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: brokerAddresses(options.ports, cluster.brokers),
        APICURIO_STORAGE_SNAPSHOT_LOCATION: folder,
      },
    };
  },

  probe(port, { secured }) {
    return new Promise((resolve, reject) => {
      const place = `127.0.0.1:${port}/apis/ccompat/v7/subjects`;
      const limits = { agent: false, timeout: PROBE_TIMEOUT_MS } as const;
      const ask =
        secured === undefined
          ? get.bind(undefined, `http://${place}`, limits)
          : getByTls.bind(undefined, `https://${place}`, {
              ...limits,
              ca: secured.authority.certificate,
              auth: `${REGISTRY_USER}:${secured.registry}`,
            });
      const request = ask((response) => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`it answers with HTTP status ${response.statusCode ?? 0}`));
      });
      request.on('timeout', () => request.destroy(new Error('it does not answer in time')));
      request.on('error', reject);
    });
  },
};

/** HTTPS with one user's name and password, and Kafka as a client like any other. */
async function securedProperties(
  ports: StackPorts,
  secured: SecuredSecrets,
  folder: string,
): Promise<Readonly<Record<string, string | number>>> {
  const { caFile, certificateFile, keyFile } = await certify(secured, 'registry', folder);
  return {
    'quarkus.http.ssl-port': ports.registry,
    'quarkus.http.insecure-requests': 'disabled',
    'quarkus.http.ssl.certificate.files': certificateFile,
    'quarkus.http.ssl.certificate.key-files': keyFile,
    'quarkus.http.auth.basic': 'true',
    'quarkus.security.users.embedded.enabled': 'true',
    'quarkus.security.users.embedded.plain-text': 'true',
    [`quarkus.security.users.embedded.users.${REGISTRY_USER}`]: secured.registry,
    [`quarkus.security.users.embedded.roles.${REGISTRY_USER}`]: 'sr-admin',
    'quarkus.http.auth.permission.everything.paths': '/*',
    'quarkus.http.auth.permission.everything.policy': 'authenticated',
    'apicurio.kafka.common.security.protocol': 'SASL_SSL',
    'apicurio.kafka.common.sasl.mechanism': 'SCRAM-SHA-512',
    'apicurio.kafka.common.sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="${REGISTRY_PRINCIPAL}" password="${secured.kafkaRegistry}";`,
    'apicurio.kafka.common.ssl.truststore.type': 'PEM',
    'apicurio.kafka.common.ssl.truststore.location': caFile,
    'apicurio.kafka.common.ssl.endpoint.identification.algorithm': 'https',
  };
}
