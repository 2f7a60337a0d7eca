import { get } from 'node:http';
import { join } from 'node:path';
import { javaProgram } from './java.ts';
import { PROBE_TIMEOUT_MS, type Service } from './service.ts';

/** Apicurio, which speaks the Confluent registry's language and keeps its schemas in Kafka. */
export const registry: Service = {
  name: 'registry',
  title: 'the schema registry',
  needs: ['kafka'],
  stopSignal: 'SIGTERM',
  startDeadlineMs: 180_000,
  stopDeadlineMs: 20_000,
  ports: (ports) => [ports.registry],

  async prepare({ folder, options, part }) {
    const [java, home] = await Promise.all([javaProgram(), part('registry')]);
    return {
      file: java,
      // One tier of compilation: it starts in two thirds of the time, and this registry is asked little.
      args: ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-jar', join(home, 'apicurio-registry-app-3.0.9-runner.jar')],
      cwd: folder,
      env: {
        QUARKUS_HTTP_HOST: '127.0.0.1',
        QUARKUS_HTTP_PORT: String(options.ports.registry),
        APICURIO_STORAGE_KIND: 'kafkasql',
        APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: `127.0.0.1:${options.ports.kafka}`,
        APICURIO_STORAGE_SNAPSHOT_LOCATION: folder,
      },
    };
  },

  probe(port) {
    return new Promise((resolve, reject) => {
      const url = `http://127.0.0.1:${port}/apis/ccompat/v7/subjects`;
      const request = get(url, { agent: false, timeout: PROBE_TIMEOUT_MS }, (response) => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`it answers with HTTP status ${response.statusCode ?? 0}`));
      });
      request.on('timeout', () => request.destroy(new Error('it does not answer in time')));
      request.on('error', reject);
    });
  },
};
