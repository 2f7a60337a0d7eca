/**
 * What is started only where a profile asks for it (`docker compose --profile NAME up`). Published on this machine
 * only, and without a password: who may use this machine may use them.
 */
import { DASHBOARD_PORT } from '../services.ts';
import type { ComposeService } from './file.ts';
import { CLOSED } from './infrastructure.ts';

const ELASTIC_VERSION = '9.5.2';
const ELASTICSEARCH = 'http://elasticsearch:9200';

/** Metrics, alert rules and dashboards of observability/. */
const OBSERVABILITY = {
  prometheus: {
    ...CLOSED,
    profiles: ['observability'],
    image: 'prom/prometheus:v3.13.1',
    user: 'nobody',
    read_only: true,
    command: [
      ...['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus'],
      '--storage.tsdb.retention.time=30d',
    ],
    ports: ['127.0.0.1:19090:9090', '127.0.0.1:13000:3000'],
    volumes: [
      './deploy/compose/prometheus.yml:/etc/prometheus/prometheus.yml:ro',
      './observability/prometheus:/etc/prometheus/rules:ro',
      'prometheus:/prometheus',
    ],
    healthcheck: {
      test: ['CMD', 'wget', '--quiet', '--spider', 'http://127.0.0.1:9090/-/ready'],
      ...{ interval: '5s', timeout: '5s', retries: 12 },
    },
    restart: 'unless-stopped',
  },
  grafana: {
    ...CLOSED,
    profiles: ['observability'],
    image: 'grafana/grafana:13.1.1',
    user: '472',
    read_only: true,
    tmpfs: ['/tmp'],
    // Prometheus is at localhost for it, as in observability/grafana/provisioning.
    network_mode: 'service:prometheus',
    environment: {
      // Everybody looks, and nobody changes: the dashboards are files.
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      GF_AUTH_DISABLE_LOGIN_FORM: 'true',
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
    },
    volumes: [
      './observability/grafana/provisioning:/etc/grafana/provisioning:ro',
      './observability/grafana/dashboards:/var/lib/grafana/dashboards/tapeproof:ro',
      'grafana:/var/lib/grafana',
    ],
    depends_on: { prometheus: { condition: 'service_healthy' } },
    healthcheck: {
      test: ['CMD', 'wget', '--quiet', '--spider', 'http://127.0.0.1:3000/api/health'],
      ...{ interval: '5s', timeout: '5s', retries: 24 },
    },
    restart: 'unless-stopped',
  },
} as const satisfies Record<string, ComposeService>;

/** The log lines of all containers, searchable. */
const ELK = {
  elasticsearch: {
    ...CLOSED,
    profiles: ['elk'],
    image: `docker.elastic.co/elasticsearch/elasticsearch:${ELASTIC_VERSION}`,
    user: '1000',
    environment: {
      'discovery.type': 'single-node',
      'xpack.security.enabled': 'false',
      ES_JAVA_OPTS: '-Xms1g -Xmx1g',
    },
    volumes: ['elasticsearch:/usr/share/elasticsearch/data'],
    healthcheck: {
      test: ['CMD', 'curl', '--fail', '--silent', 'http://localhost:9200/_cluster/health'],
      ...{ interval: '5s', timeout: '5s', retries: 36 },
    },
    restart: 'unless-stopped',
  },
  kibana: {
    ...CLOSED,
    profiles: ['elk'],
    image: `docker.elastic.co/kibana/kibana:${ELASTIC_VERSION}`,
    user: '1000',
    environment: { ELASTICSEARCH_HOSTS: ELASTICSEARCH, TELEMETRY_ENABLED: 'false' },
    ports: ['127.0.0.1:15601:5601'],
    depends_on: { elasticsearch: { condition: 'service_healthy' } },
    healthcheck: {
      test: ['CMD', 'curl', '--fail', '--silent', 'http://localhost:5601/api/status'],
      ...{ interval: '5s', timeout: '5s', retries: 60 },
    },
    restart: 'unless-stopped',
  },
  filebeat: {
    profiles: ['elk'],
    image: `docker.elastic.co/beats/filebeat:${ELASTIC_VERSION}`,
    // Only root may read what the engine keeps of other containers' output; it is read-only here, without capabilities
    // but that one.
    user: 'root',
    cap_drop: ['ALL'],
    cap_add: ['DAC_READ_SEARCH'],
    security_opt: ['no-new-privileges:true'],
    read_only: true,
    command: ['filebeat', '--strict.perms=false', '-e'],
    volumes: [
      './deploy/compose/filebeat.yml:/usr/share/filebeat/filebeat.yml:ro',
      '/var/lib/docker/containers:/var/lib/docker/containers:ro',
      'filebeat:/usr/share/filebeat/data',
    ],
    depends_on: { elasticsearch: { condition: 'service_healthy' } },
    restart: 'unless-stopped',
  },
} as const satisfies Record<string, ComposeService>;

const OTHERS = {
  'kafka-ui': {
    ...CLOSED,
    profiles: ['kafka-ui'],
    image: 'ghcr.io/kafbat/kafka-ui:v1.5.0',
    user: '100',
    environment: {
      KAFKA_CLUSTERS_0_NAME: 'tapeproof',
      KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS: 'kafka:9092',
      KAFKA_CLUSTERS_0_SCHEMAREGISTRY: 'http://registry:8080/apis/ccompat/v7',
      // The tape is never edited, and topics come from the list in contracts/.
      KAFKA_CLUSTERS_0_READONLY: 'true',
    },
    ports: ['127.0.0.1:18082:8080'],
    depends_on: { kafka: { condition: 'service_healthy' }, registry: { condition: 'service_healthy' } },
    restart: 'unless-stopped',
  },
  /** The page by TLS, with a certificate of its own authority. */
  'dashboard-tls': {
    ...CLOSED,
    profiles: ['secure'],
    image: 'caddy:2.11.4-alpine',
    user: '1000:1000',
    // Its program's file has that capability, and could not be started without it.
    cap_add: ['NET_BIND_SERVICE'],
    read_only: true,
    tmpfs: ['/data:uid=1000,gid=1000', '/config:uid=1000,gid=1000'],
    command: [
      ...['caddy', 'reverse-proxy', '--from', 'https://localhost:8443', '--internal-certs', '--disable-redirects'],
      ...['--to', `dashboard:${DASHBOARD_PORT}`],
    ],
    ports: ['127.0.0.1:18443:8443'],
    depends_on: { dashboard: { condition: 'service_healthy' } },
    restart: 'unless-stopped',
  },
} as const satisfies Record<string, ComposeService>;

export const PROFILE_SERVICES: Readonly<Record<string, ComposeService>> = { ...OBSERVABILITY, ...ELK, ...OTHERS };
export const PROFILE_VOLUMES = ['prometheus', 'grafana', 'elasticsearch', 'filebeat'] as const;
