/** What runs in a pod: the same for jobs and processes. */
import {
  environmentOf,
  HEALTH_PATHS,
  HEALTH_PORT,
  IMAGE_USER_ID,
  READY_DEADLINE_S,
  secretsOf,
  STOP_GRACE_S,
  type DeployedService,
} from '../../services.ts';

export const PART_OF = 'tapeproof';
/** Holds the addresses of the services, which are yours: see deploy/kubernetes/kustomization.yaml. */
export const ADDRESSES = 'tapeproof-addresses';
export const IMAGE = 'tapeproof';
const PROBE_PERIOD_S = 10;
const PROBE_TIMEOUT_S = 5;
const ALIVE_FAILURES = 6;

/** Every address comes from the ConfigMap; a variable of it may be named in another's value. */
const FROM_CONFIG_MAP = {
  kafkaBrokers: '$(TAPEPROOF_KAFKA_BROKERS)',
  registryUrl: '$(TAPEPROOF_REGISTRY_URL)',
  postgresUrl: '$(TAPEPROOF_POSTGRES_URL)',
  redisUrl: '$(TAPEPROOF_REDIS_URL)',
} as const;

export function labelsOf({ name }: { readonly name: string }): Record<string, string> {
  return { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': PART_OF };
}

/** The template of a pod; it has no rights on its node, and writes nowhere but to /tmp. */
export function podOf(service: DeployedService): object {
  const isJob = service.kind === 'job';
  return {
    metadata: { labels: labelsOf(service) },
    spec: {
      ...(isJob ? { restartPolicy: 'OnFailure' } : { terminationGracePeriodSeconds: STOP_GRACE_S }),
      // Its name is what an identity of AWS is given to.
      serviceAccountName: service.name,
      automountServiceAccountToken: false,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: IMAGE_USER_ID, runAsGroup: IMAGE_USER_ID },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(isJob ? {} : { topologySpreadConstraints: [spreadOf(service)] }),
      containers: [containerOf(service)],
      volumes: [{ name: 'temporary', emptyDir: { sizeLimit: '64Mi' } }],
    },
  };
}

/** Not all in one zone. */
function spreadOf(service: DeployedService): object {
  return {
    maxSkew: 1,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: labelsOf(service) },
  };
}

function containerOf(service: DeployedService): object {
  const { name, command, resources } = service;
  return {
    name,
    image: IMAGE,
    args: [...command],
    envFrom: [{ configMapRef: { name: ADDRESSES } }],
    env: variablesOf(service),
    resources: {
      requests: { cpu: `${resources.cpuMilli}m`, memory: `${resources.memoryMib}Mi` },
      // More processor is welcome where there is some; more memory is a fault.
      limits: { memory: `${resources.memoryMib}Mi` },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [{ name: 'temporary', mountPath: '/tmp' }],
    ...(service.kind === 'process' ? { ports: portsOf(service.servesPort), ...probes() } : {}),
  };
}

function variablesOf(service: DeployedService): object[] {
  const open = Object.entries(environmentOf(service, FROM_CONFIG_MAP)).filter(([, value]) => !value.startsWith('$('));
  return [
    ...open.map(([name, value]) => ({ name, value })),
    ...secretsOf(service).map(({ variable, secret }) => ({
      name: variable,
      valueFrom: { secretKeyRef: { name: `tapeproof-${secret}`, key: 'value' } },
    })),
  ];
}

function portsOf(servesPort: number | undefined): object[] {
  return [
    { name: 'health', containerPort: HEALTH_PORT },
    ...(servesPort === undefined ? [] : [{ name: 'http', containerPort: servesPort }]),
  ];
}

/** A process that recovers is alive and not ready; one that does not even begin to answer is replaced. */
function probes(): object {
  const ask = (path: string) => ({
    httpGet: { path, port: 'health' },
    ...{ periodSeconds: PROBE_PERIOD_S, timeoutSeconds: PROBE_TIMEOUT_S },
  });
  return {
    startupProbe: { ...ask(HEALTH_PATHS.alive), failureThreshold: READY_DEADLINE_S / PROBE_PERIOD_S },
    readinessProbe: { ...ask(HEALTH_PATHS.ready), failureThreshold: 1 },
    livenessProbe: { ...ask(HEALTH_PATHS.alive), failureThreshold: ALIVE_FAILURES },
  };
}
