import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Namespace, Service, ServiceAccount } from 'kubernetes-models/v1';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { engineGroup } from '../../../evaluators/main.ts';
import { METRICS } from '../../../platform/metrics/catalogue.ts';
import { VARIABLES } from '../../../platform/security/variables.ts';
import { PROJECTORS } from '../../../projectors/catalogue.ts';
import { groupOf } from '../../../projectors/runner.adapter.ts';
import { rdsAuthorities } from '../certificates.ts';
import { HEALTH_PORT, JOBS, LAG_METRIC, PROCESSES, secretsOf, SERVICES } from '../../services.ts';
import { kubernetesFiles, lagQuery } from './charts.ts';

const DEPLOY = join(import.meta.dirname, '..', '..');

interface Container {
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly securityContext: object;
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly readinessProbe?: { readonly httpGet: { readonly path: string } };
  readonly livenessProbe?: { readonly httpGet: { readonly path: string } };
  readonly resources: { readonly limits: { readonly memory: string } };
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec: { readonly securityContext: object; readonly containers: readonly Container[] };
    };
    readonly [name: string]: unknown;
  };
}

/** The schemas of Kubernetes 1.3x and KEDA 2, by kind. */
const MODELS: Readonly<Record<string, new (manifest: never) => { validate(): void }>> = {
  ...{ ConfigMap, Namespace, Service, ServiceAccount, Deployment, Job, Ingress, NetworkPolicy, PodDisruptionBudget },
  ScaledObject,
};

function validate(manifest: Manifest): void {
  const Model = MODELS[manifest.kind];
  if (Model === undefined) throw new Error(`no schema of ${manifest.kind}`);
  new Model(manifest as never).validate();
}

const files = kubernetesFiles();
const manifests = Object.values(files).flatMap((text) =>
  parseAllDocuments(text).map((document) => document.toJS() as Manifest),
);
const named = (kind: string, name: string): Manifest | undefined =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
const workloads = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'Job');

describe('deploy/kubernetes', () => {
  it.each(Object.keys(files))('%s is what the list of services makes of it', (name) => {
    expect(readFileSync(join(DEPLOY, 'kubernetes', name), 'utf8')).toBe(files[name]);
  });

  it.each(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
    '%s follows the schema of its kind',
    (_, manifest) => {
      expect(() => {
        validate(manifest);
      }).not.toThrow();
    },
  );

  it('is not taken where a field has another type', () => {
    const engine = named('Deployment', 'engine');
    expect(() => {
      validate({ ...engine!, spec: { ...engine!.spec, minReadySeconds: 'ten' } });
    }).toThrow('minReadySeconds');
  });

  it('runs each service of the list, with its words and the secrets that it needs', () => {
    for (const service of SERVICES) {
      const manifest = named(service.kind === 'job' ? 'Job' : 'Deployment', service.name);
      const [container] = manifest?.spec?.template?.spec.containers ?? [];
      expect(container?.args).toEqual(service.command);
      const secret = (container?.env ?? []).filter(({ valueFrom }) => valueFrom !== undefined).map(({ name }) => name);
      expect(secret).toEqual(secretsOf(service).map(({ variable }) => variable));
      expect(named('ServiceAccount', service.name)).toBeDefined();
    }
    expect(workloads).toHaveLength(SERVICES.length);
    expect(manifests.some(({ kind }) => kind === 'Secret')).toBe(false);
  });

  it('has addresses under names that the program reads', () => {
    const names = Object.keys(named('ConfigMap', 'tapeproof-addresses')?.data ?? {});
    expect(names.filter((name) => !(name in VARIABLES))).toEqual(['TAPEPROOF_HTTP_NAMES']);
  });

  it('gives no pod a right on its node, and no place to write but /tmp', () => {
    for (const { spec } of workloads) {
      expect(spec?.template?.spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of spec?.template?.spec.containers ?? []) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources.limits.memory).toMatch(/^\d+Mi$/);
      }
    }
  });

  it('asks /ready whether work may be sent, and /health whether to replace', () => {
    for (const { name } of PROCESSES) {
      const [container] = named('Deployment', name)?.spec?.template?.spec.containers ?? [];
      expect(container?.readinessProbe?.httpGet.path).toBe('/ready');
      expect(container?.livenessProbe?.httpGet.path).toBe('/health');
      expect(container?.ports?.map(({ containerPort }) => containerPort)).toContain(HEALTH_PORT);
    }
  });

  it('lets one of several be missing at a time', () => {
    const several = PROCESSES.filter(({ replicas }) => (replicas.kind === 'fixed' ? replicas.count : replicas.min) > 1);
    expect(several.map(({ name }) => name)).toEqual(['engine', 'dashboard']);
    for (const { name } of several) {
      expect(named('PodDisruptionBudget', name)?.spec).toMatchObject({ maxUnavailable: 1 });
    }
  });

  it('adds engines and projectors by their own longest lag in seconds, of a metric and groups that exist', () => {
    const groupsOf = new Map([
      ['engine', engineGroup()],
      ...PROJECTORS.map(({ name }): [string, string] => [`projector-${name}`, groupOf(name, 3)]),
    ]);
    const scaled = PROCESSES.flatMap(({ name, replicas }) => (replicas.kind === 'by-lag' ? [{ name, replicas }] : []));
    expect(new Set(scaled.map(({ name }) => name))).toEqual(new Set(groupsOf.keys()));
    expect(METRICS[LAG_METRIC].labels).toContain('group');
    for (const { name, replicas } of scaled) {
      const query = lagQuery(replicas.groups);
      const [, metric, group = ''] = /^max\((\w+)\{group=~"(.*)"\}\)$/.exec(query) ?? [];
      expect(metric).toBe(LAG_METRIC);
      const pattern = new RegExp(`^${group.replaceAll('\\\\', '\\')}$`);
      expect([...groupsOf].filter(([, each]) => pattern.test(each)).map(([each]) => each)).toEqual([name]);
      expect(named('ScaledObject', name)?.spec).toMatchObject({
        minReplicaCount: replicas.min,
        maxReplicaCount: replicas.max,
        scaleTargetRef: { kind: 'Deployment', name },
        triggers: [{ type: 'prometheus', metricType: 'Value', metadata: { query, threshold: String(replicas.lagS) } }],
      });
      expect(named('Deployment', name)?.spec?.replicas).toBeUndefined();
    }
  });

  it('denies all traffic but what is named, and only ingestion the way to an exchange', () => {
    expect(named('NetworkPolicy', 'deny-all')?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    const outside = manifests.filter(
      ({ kind, spec }) => kind === 'NetworkPolicy' && JSON.stringify(spec).includes('0.0.0.0/0'),
    );
    expect(outside.map(({ metadata }) => metadata.name)).toEqual(['ingest-exchange']);
  });

  it('has jobs that may be repeated, in a file of their own', () => {
    expect(JOBS.map(({ name }) => named('Job', name)?.metadata.name)).toEqual(JOBS.map(({ name }) => name));
    expect(files['services.yaml']).not.toContain('kind: Job');
  });
});

it('the image has the authorities of Aurora', () => {
  expect(readFileSync(join(DEPLOY, 'certificates', 'rds.pem'), 'utf8')).toBe(rdsAuthorities());
});
