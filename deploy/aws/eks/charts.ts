import { ApiObject, App, Chart, Yaml } from 'cdk8s';
import {
  DASHBOARD_PORT,
  HEALTH_PATHS,
  HEALTH_PORT,
  JOBS,
  LAG_METRIC,
  PROCESSES,
  SERVICES,
  type DeployedProcess,
  type ReplicasByLag,
} from '../../services.ts';
import { ADDRESSES, labelsOf, PART_OF, podOf } from './pod.ts';

const NAMESPACE = 'tapeproof';
const JOB_RETRIES = 10;
const JOB_KEPT_S = 86_400;
const COOLDOWN_S = 600;
const PROMETHEUS = 'http://prometheus-server.monitoring.svc.cluster.local';
/** Where EKS gives a pod the credentials of its role. */
const IDENTITY_AGENT = '169.254.170.23/32';
const DNS_PORT = 53;
const HTTPS_PORT = 443;
/** Kafka with IAM, the registry, Postgres, Redis. */
const STORE_PORTS = [9098, 8080, 5432, 6380];

/** The files of deploy/kubernetes by name. */
export function kubernetesFiles(): Readonly<Record<string, string>> {
  const app = new App();
  const services = new Chart(app, 'services', { namespace: NAMESPACE, disableResourceNameHashes: true });
  const jobs = new Chart(app, 'jobs', { namespace: NAMESPACE, disableResourceNameHashes: true });
  addNamespace(services);
  addAddresses(services);
  for (const { name } of SERVICES) add(services, 'v1', 'ServiceAccount', name, { automountServiceAccountToken: false });
  for (const process of PROCESSES) addProcess(services, process);
  addPage(services);
  addNetworkPolicies(services);
  for (const job of JOBS) {
    add(jobs, 'batch/v1', 'Job', job.name, {
      // Until what it needs is there.
      spec: { backoffLimit: JOB_RETRIES, ttlSecondsAfterFinished: JOB_KEPT_S, template: podOf(job) },
    });
  }
  return { 'services.yaml': textOf(services), 'jobs.yaml': textOf(jobs) };
}

function textOf(chart: Chart): string {
  const documents = Yaml.stringify(...(chart.toJson() as object[]));
  return `# Generated from deploy/services.ts by \`node deploy/aws/eks/generate.ts\`. Do not edit.\n${documents}`;
}

function add(chart: Chart, apiVersion: string, kind: string, name: string, rest: object): void {
  new ApiObject(chart, `${kind}-${name}`, {
    apiVersion,
    kind,
    metadata: { name, labels: labelsOf({ name }) },
    ...rest,
  });
}

/** Kubernetes itself refuses pods with rights in it. */
function addNamespace(chart: Chart): void {
  new ApiObject(chart, 'namespace', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
}

/** Examples: yours take their place in kustomization.yaml. */
function addAddresses(chart: Chart): void {
  add(chart, 'v1', 'ConfigMap', ADDRESSES, {
    data: {
      TAPEPROOF_KAFKA_BROKERS: 'b-1.example:9098,b-2.example:9098,b-3.example:9098',
      TAPEPROOF_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      TAPEPROOF_KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
      TAPEPROOF_KAFKA_AWS_REGION: 'eu-central-1',
      TAPEPROOF_REGISTRY_URL: 'http://registry.example:8080/apis/ccompat/v7',
      TAPEPROOF_POSTGRES_URL: 'postgres://postgres.example:5432/tapeproof?sslmode=verify-full',
      TAPEPROOF_POSTGRES_CA_FILE: '/app/deploy/certificates/rds.pem',
      TAPEPROOF_REDIS_URL: 'rediss://redis.example:6380',
      TAPEPROOF_HTTP_NAMES: 'tapeproof.example.com',
    },
  });
}

function addProcess(chart: Chart, process: DeployedProcess): void {
  const { name, replicas } = process;
  const count = replicas.kind === 'fixed' ? replicas.count : replicas.min;
  add(chart, 'apps/v1', 'Deployment', name, {
    spec: {
      // Whoever scales by lag decides.
      ...(replicas.kind === 'fixed' ? { replicas: count } : {}),
      selector: { matchLabels: labelsOf(process) },
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: count > 1 ? { maxUnavailable: 1, maxSurge: 1 } : { maxUnavailable: 1, maxSurge: 0 },
      },
      template: podOf(process),
    },
  });
  if (count > 1) {
    add(chart, 'policy/v1', 'PodDisruptionBudget', name, {
      spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(process) } },
    });
  }
  if (replicas.kind === 'by-lag') addScaling(chart, name, replicas);
}

/** By Prometheus: the Kafka trigger of KEDA adds up the records of all partitions, and knows no time. */
function addScaling(chart: Chart, name: string, { min, max, lagS, groups }: ReplicasByLag): void {
  add(chart, 'keda.sh/v1alpha1', 'ScaledObject', name, {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      ...{ minReplicaCount: min, maxReplicaCount: max },
      // Each change moves partitions, whose states are then recovered.
      cooldownPeriod: COOLDOWN_S,
      advanced: {
        horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: COOLDOWN_S } } },
      },
      triggers: [
        {
          type: 'prometheus',
          // The longest lag of a partition is not divided by the number of processes.
          metricType: 'Value',
          metadata: { serverAddress: PROMETHEUS, query: lagQuery(groups), threshold: String(lagS) },
        },
      ],
    },
  });
}

/** @param groups - what the names of the groups begin with. */
export function lagQuery(groups: string): string {
  return `max(${LAG_METRIC}{group=~"${groups.replaceAll('.', '\\\\.')}.*"})`;
}

function addPage(chart: Chart): void {
  add(chart, 'v1', 'Service', 'dashboard', {
    spec: {
      selector: labelsOf({ name: 'dashboard' }),
      ports: [{ name: 'http', port: DASHBOARD_PORT, targetPort: 'http' }],
    },
  });
  new ApiObject(chart, 'ingress', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: 'dashboard',
      annotations: {
        'alb.ingress.kubernetes.io/scheme': 'internal',
        'alb.ingress.kubernetes.io/target-type': 'ip',
        'alb.ingress.kubernetes.io/listen-ports': '[{"HTTPS":443}]',
        'alb.ingress.kubernetes.io/ssl-policy': 'ELBSecurityPolicy-TLS13-1-2-Res-2021-06',
        'alb.ingress.kubernetes.io/healthcheck-port': String(HEALTH_PORT),
        'alb.ingress.kubernetes.io/healthcheck-path': HEALTH_PATHS.ready,
      },
    },
    spec: {
      ingressClassName: 'alb',
      rules: [
        {
          host: 'tapeproof.example.com',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'dashboard', port: { name: 'http' } } } },
            ],
          },
        },
      ],
    },
  });
}

/** Nothing is let in or out but what is named here. */
function addNetworkPolicies(chart: Chart): void {
  const everyone = { matchLabels: { 'app.kubernetes.io/part-of': PART_OF } };
  const tcp = (port: number) => ({ protocol: 'TCP', port });
  const from = (namespace: string) => [
    { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
  ];
  const policy = (name: string, spec: object): void => {
    add(chart, 'networking.k8s.io/v1', 'NetworkPolicy', name, { spec });
  };
  policy('deny-all', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  policy('metrics', {
    podSelector: everyone,
    policyTypes: ['Ingress'],
    ingress: [{ from: from('monitoring'), ports: [tcp(HEALTH_PORT)] }],
  });
  policy('stores', {
    podSelector: everyone,
    policyTypes: ['Egress'],
    egress: [
      { to: from('kube-system'), ports: [{ protocol: 'UDP', port: DNS_PORT }, tcp(DNS_PORT)] },
      { ports: STORE_PORTS.map(tcp) },
      { to: [{ ipBlock: { cidr: IDENTITY_AGENT } }], ports: [tcp(80)] },
    ],
  });
  for (const process of PROCESSES.filter(({ reachesInternet }) => reachesInternet)) {
    policy(`${process.name}-exchange`, {
      podSelector: { matchLabels: labelsOf(process) },
      policyTypes: ['Egress'],
      // Not to what only this network should reach.
      egress: [
        {
          to: [
            {
              ipBlock: {
                cidr: '0.0.0.0/0',
                except: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
              },
            },
          ],
          ports: [tcp(HTTPS_PORT), tcp(9443)],
        },
      ],
    });
  }
  policy('page', {
    podSelector: { matchLabels: labelsOf({ name: 'dashboard' }) },
    policyTypes: ['Ingress'],
    // A load balancer asks from its subnets, which are yours: narrow this to them.
    ingress: [{ ports: [tcp(DASHBOARD_PORT), tcp(HEALTH_PORT)] }],
  });
}
