import { App, aws_iam as iam, aws_s3 as s3, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { isAllowed } from '../../../stack/kafka-rules.ts';
import { REDIS_APPLICATION_RULES } from '../../../stack/redis-users.ts';
import { DEFAULT_PARTITIONS } from '../../../contracts/topics.ts';
import { filesOfImage } from '../../../tests/support/image-tree.ts';
import { CLOUDWATCH_NAMESPACE, SERVICE_DIMENSION } from '../../cloudwatch/lag-line.ts';
import { HEALTH_PATHS, HEALTH_PORT, JOBS, LAG_METRIC, PROCESSES, secretsOf, SERVICES } from '../../services.ts';
import { costTable, monthlyCost } from './cost.ts';
import { BROKER_PROPERTIES } from './kafka.ts';
import { fargateSize, LAG_PROGRAM } from './services.ts';
import { parseSettings, SIZES, type Size } from './settings.ts';
import { tapeproofOn } from './tapeproof.ts';

/** Against hanging: it takes some ten seconds of processor time. */
const SYNTHESIS_TIMEOUT_MS = 300_000;

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

const { context } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'cdk.json'), 'utf8')) as {
  readonly context: Readonly<Record<string, unknown>>;
};

let app: App;
let template: Template;
let resources: readonly (readonly [string, Resource])[];

beforeAll(() => {
  app = new App({ context: { 'aws:cdk:disable-stack-trace': true } });
  template = Template.fromStack(tapeproofOn(app, parseSettings(context)));
  const all = template.toJSON() as { readonly Resources: Readonly<Record<string, Resource>> };
  resources = Object.entries(all.Resources);
}, SYNTHESIS_TIMEOUT_MS);

const ofType = (type: string) => resources.filter(([, { Type }]) => Type === type).map(([, resource]) => resource);
const textOf = (value: unknown): string => JSON.stringify(value);

describe('Kafka', () => {
  it('has three brokers in three zones, and keeps the cluster when the stack goes', () => {
    const [cluster] = ofType('AWS::MSK::Cluster');
    expect(cluster?.DeletionPolicy).toBe('Retain');
    template.hasResourceProperties('AWS::MSK::Cluster', {
      NumberOfBrokerNodes: 3,
      BrokerNodeGroupInfo: {
        ClientSubnets: [Match.anyValue(), Match.anyValue(), Match.anyValue()],
        ConnectivityInfo: { PublicAccess: { Type: 'DISABLED' } },
      },
    });
    const zones = ofType('AWS::EC2::Subnet').map(({ Properties }) => Properties['AvailabilityZone']);
    expect(new Set(zones).size).toBe(3);
  });

  it('acknowledges what two brokers have, elects no leader without the records, and deletes nothing by age', () => {
    const [configuration] = ofType('AWS::MSK::Configuration');
    const properties = textOf(configuration?.Properties['ServerProperties']);
    expect(BROKER_PROPERTIES).toMatchObject({
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'unclean.leader.election.enable': 'false',
      'auto.create.topics.enable': 'false',
      'log.retention.ms': '-1',
      'log.retention.bytes': '-1',
    });
    for (const [name, value] of Object.entries(BROKER_PROPERTIES)) expect(properties).toContain(`${name}=${value}`);
  });

  it('speaks only TLS, to known principals, and encrypts its disks with our key', () => {
    template.hasResourceProperties('AWS::MSK::Cluster', {
      ClientAuthentication: { Sasl: { Iam: { Enabled: true } }, Unauthenticated: { Enabled: false } },
      EncryptionInfo: {
        EncryptionInTransit: { ClientBroker: 'TLS', InCluster: true },
        EncryptionAtRest: { DataVolumeKMSKeyId: Match.anyValue() },
      },
    });
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      ScalableDimension: 'kafka:broker-storage:VolumeSize',
    });
  });
});

describe('the stores', () => {
  it('Postgres is encrypted, in two zones, backed up, protected, and takes TLS only', () => {
    template.hasResourceProperties('AWS::RDS::DBCluster', {
      StorageEncrypted: true,
      KmsKeyId: Match.anyValue(),
      BackupRetentionPeriod: 14,
      DeletionProtection: true,
    });
    expect(ofType('AWS::RDS::DBInstance').map(({ Properties }) => Properties['PubliclyAccessible'])).not.toContain(
      true,
    );
    expect(ofType('AWS::RDS::DBInstance')).toHaveLength(2);
    template.hasResourceProperties('AWS::RDS::DBClusterParameterGroup', { Parameters: { 'rds.force_ssl': '1' } });
    for (const { variables } of environments()) {
      if ('TAPEPROOF_POSTGRES_URL' in variables) {
        expect(textOf(variables['TAPEPROOF_POSTGRES_URL'])).toContain('sslmode=verify-full');
      }
    }
  });

  it('Redis fails over, is encrypted on the way and at rest, evicts nothing, and has one user with our rules', () => {
    template.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
      AutomaticFailoverEnabled: true,
      MultiAZEnabled: true,
      TransitEncryptionEnabled: true,
      TransitEncryptionMode: 'required',
      AtRestEncryptionEnabled: true,
      UserGroupIds: Match.anyValue(),
    });
    template.hasResourceProperties('AWS::ElastiCache::ParameterGroup', {
      Properties: { 'maxmemory-policy': 'noeviction' },
    });
    template.hasResourceProperties('AWS::ElastiCache::User', { AccessString: `on ${REDIS_APPLICATION_RULES}` });
  });
});

function environments(): readonly { readonly name: string; readonly variables: Readonly<Record<string, unknown>> }[] {
  return containers().map(({ Name: name, Environment = [] }) => ({
    name,
    variables: Object.fromEntries(Environment.map(({ Name, Value }) => [Name, Value])),
  }));
}

interface Container {
  readonly Name: string;
  readonly Command?: readonly string[];
  readonly Environment?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Secrets?: readonly { readonly Name: string }[];
  readonly ReadonlyRootFilesystem?: boolean;
  readonly User?: string;
  readonly Privileged?: boolean;
}

function containers(): readonly Container[] {
  return ofType('AWS::ECS::TaskDefinition').flatMap(
    ({ Properties }) => Properties['ContainerDefinitions'] as readonly Container[],
  );
}

describe('the services', () => {
  it('are those of the list, with their words, and jobs that run when the operator says so', () => {
    for (const { name, command } of SERVICES) {
      expect(containers().find(({ Name }) => Name === name)?.Command, name).toEqual(command);
    }
    const running = ofType('AWS::ECS::Service').map(({ Properties }) => Properties['ServiceName']);
    expect([...running].sort()).toEqual(['registry', ...PROCESSES.map(({ name }) => name)].sort());
    const reporting = PROCESSES.filter(({ replicas }) => replicas.kind === 'by-lag');
    expect(containers()).toHaveLength(PROCESSES.length + reporting.length + JOBS.length + 2);
  });

  it('run without root, on a tree that is not written, in subnets without public addresses', () => {
    for (const { Name, User, ReadonlyRootFilesystem, Privileged } of containers()) {
      expect(User, Name).toMatch(/^(?!root|0)./);
      expect(Privileged ?? false).toBe(false);
      // The registry is another's image, which unpacks itself.
      expect(ReadonlyRootFilesystem ?? false, Name).toBe(Name !== 'registry');
    }
    for (const { Properties } of ofType('AWS::ECS::Service')) {
      expect(Properties['NetworkConfiguration']).toMatchObject({ AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } });
    }
  });

  it('get each secret from Secrets Manager, where the list says so, and no other', () => {
    for (const service of SERVICES) {
      const container = containers().find(({ Name }) => Name === service.name);
      const given = (container?.Secrets ?? []).map(({ Name }) => Name).sort();
      expect(given, service.name).toEqual(
        secretsOf(service)
          .map(({ variable }) => variable)
          .sort(),
      );
    }
    for (const { variables } of environments()) {
      expect(Object.keys(variables).filter((name) => /PASSWORD|TOKEN$|SECRET|_KEY$/.test(name))).toEqual([]);
    }
    for (const { Properties } of ofType('AWS::SecretsManager::Secret')) expect(Properties['KmsKeyId']).toBeDefined();
  });

  it('have a role each, which may in Kafka what the rules of the list allow', () => {
    for (const { name, role } of SERVICES) {
      const policy = policyOf(name);
      for (const topic of ['raw.trades', 'probability.decisions', 'dead.letters', 'engine.checkpoints']) {
        const writes = policy.some(
          ({ Action, Effect, Resource }) =>
            Effect === 'Allow' &&
            [Action].flat().includes('kafka-cluster:WriteData') &&
            textOf(Resource).includes(topic),
        );
        expect(writes, `${name} writes ${topic}`).toBe(isAllowed(role, 'WRITE', 'TOPIC', topic));
      }
      const all = policy.flatMap(({ Action }) => Action);
      expect(all.filter((action) => !action.startsWith('kafka-cluster:'))).toEqual([]);
      expect(all.filter((action) => action.includes('*'))).toEqual([]);
    }
    expect(
      policyOf('projector-candles').some(
        ({ Effect, Resource }) => Effect === 'Deny' && textOf(Resource).includes('tapeproof.engine.*'),
      ),
    ).toBe(true);
    expect(policyOf('engine').flatMap(({ Action }) => Action)).not.toContain('kafka-cluster:DeleteTopic');
  });

  it('pull their image with a right to its repository', () => {
    const executing = resources.filter(
      ([id, { Type }]) => Type === 'AWS::IAM::Policy' && id.includes('enginetaskExecutionRole'),
    );
    expect(textOf(executing)).toContain('ecr:BatchGetImage');
    expect(textOf(executing)).toContain(':repository/tapeproof');
  });

  it('are more where their own lag in seconds is long, and no more than there are partitions', () => {
    const scaled = PROCESSES.filter(({ replicas }) => replicas.kind === 'by-lag');
    expect(scaled.length).toBeGreaterThan(1);
    const targets = ofType('AWS::ApplicationAutoScaling::ScalableTarget')
      .map(({ Properties }) => Properties)
      .filter(({ ScalableDimension }) => ScalableDimension === 'ecs:service:DesiredCount');
    expect(targets).toHaveLength(scaled.length);
    for (const { MinCapacity, MaxCapacity } of targets) {
      expect(MaxCapacity).toBeGreaterThan(Number(MinCapacity));
      expect(MaxCapacity).toBeLessThanOrEqual(DEFAULT_PARTITIONS);
    }
    for (const { name } of scaled) {
      // One alarm for each direction, and one that wakes somebody.
      const alarms = ofType('AWS::CloudWatch::Alarm').filter(({ Properties }) =>
        isDeepStrictEqual(Properties['Dimensions'], [{ Name: SERVICE_DIMENSION, Value: name }]),
      );
      expect(alarms, name).toHaveLength(3);
      for (const { Properties } of alarms) {
        expect(Properties).toMatchObject({ Namespace: CLOUDWATCH_NAMESPACE, MetricName: LAG_METRIC });
      }
    }
    expect(ofType('AWS::CloudWatch::Alarm').filter((alarm) => textOf(alarm).includes('TimeLag'))).toEqual([]);
  });

  it('have their lag reported by a program of the image, from the address of their metrics', () => {
    for (const { name, replicas } of PROCESSES) {
      const task = ofType('AWS::ECS::TaskDefinition').find(
        ({ Properties }) => Properties['Family'] === `tapeproof-${name}`,
      );
      const containers = task?.Properties['ContainerDefinitions'] as readonly Record<string, unknown>[];
      const beside = containers.filter((container) => container['Name'] === `${name}-lag`);
      expect(beside).toHaveLength(replicas.kind === 'by-lag' ? 1 : 0);
      for (const container of beside) {
        expect(container).toMatchObject({
          ...{ Essential: false, ReadonlyRootFilesystem: true, EntryPoint: ['node'] },
          Command: [LAG_PROGRAM, name, LAG_METRIC, `http://127.0.0.1:${HEALTH_PORT}${HEALTH_PATHS.metrics}`],
        });
        expect(container['Secrets']).toBeUndefined();
      }
    }
    expect(filesOfImage()).toContain(LAG_PROGRAM);
  });

  it('roll back a deployment that does not become healthy', () => {
    for (const { Properties } of ofType('AWS::ECS::Service')) {
      expect(textOf(Properties['DeploymentConfiguration'])).toContain(
        '"DeploymentCircuitBreaker":{"Enable":true,"Rollback":true}',
      );
    }
  });
});

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

function policyOf(service: string): readonly { Effect: string; Action: readonly string[]; Resource: unknown }[] {
  const found = resources.filter(
    ([id, { Type }]) => Type === 'AWS::IAM::Policy' && id.startsWith(`Services${service.replaceAll('-', '')}role`),
  );
  expect(found, service).toHaveLength(1);
  const document = found[0]?.[1].Properties['PolicyDocument'] as { readonly Statement: readonly Statement[] };
  return document.Statement.map(({ Effect, Action, Resource }) => ({ Effect, Action: [Action].flat(), Resource }));
}

describe('the way in', () => {
  it('is TLS 1.3 or 1.2, and a person who signed in with a second factor', () => {
    const listeners = ofType('AWS::ElasticLoadBalancingV2::Listener');
    expect(listeners).toHaveLength(1);
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: Match.stringLikeRegexp('TLS13'),
      DefaultActions: [
        Match.objectLike({ Type: 'authenticate-cognito', Order: 1 }),
        Match.objectLike({ Type: 'forward' }),
      ],
    });
    template.hasResourceProperties('AWS::Cognito::UserPool', {
      MfaConfiguration: 'ON',
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
    });
    template.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      HealthCheckPath: '/ready',
      HealthCheckPort: '9464',
    });
  });

  it('is the only thing that anyone outside reaches', () => {
    const open = resources.filter(
      ([, { Type, Properties }]) =>
        (Type === 'AWS::EC2::SecurityGroup' &&
          textOf(Properties['SecurityGroupIngress'] ?? []).includes('0.0.0.0/0')) ||
        (Type === 'AWS::EC2::SecurityGroupIngress' && Properties['CidrIp'] !== undefined),
    );
    expect(open.map(([id]) => id)).toEqual([expect.stringContaining('EntranceGroup')]);
    expect(textOf(open[0]?.[1].Properties['SecurityGroupIngress'])).toContain('"FromPort":443');
    for (const { Properties } of ofType('AWS::S3::Bucket')) {
      expect(textOf(Properties['PublicAccessBlockConfiguration'])).not.toContain('false');
    }
  });
});

describe('who looks after it', () => {
  it('is reached by an alarm for each service, lag, disk and store, and by the budget', () => {
    const names = ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties['AlarmName']);
    for (const { name } of PROCESSES) expect(names).toContain(`tapeproof-${name}-not-running`);
    for (const name of [
      'engine-lag',
      'projector-postgres-history-lag',
      'kafka-partitions-offline',
      'kafka-disk',
      'postgres-capacity',
      'redis-memory',
      'page-not-ready',
    ]) {
      expect(names).toContain(`tapeproof-${name}`);
    }
    const own = ofType('AWS::CloudWatch::Alarm').filter(({ Properties }) => Properties['AlarmName'] !== undefined);
    for (const { Properties } of own) expect(Properties['AlarmActions']).toHaveLength(1);
    template.resourceCountIs('AWS::Budgets::Budget', 1);
    template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });
});

describe('cdk-nag', () => {
  it('finds nothing that is not acknowledged with a reason', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('finds what is planted, ends the synthesis, and is not silenced by a rule’s bare id', () => {
    const planted = new App();
    Validations.of(planted).addPlugins(new AwsSolutionsChecks(planted));
    const stack = new Stack(planted, 'Planted');
    new s3.Bucket(stack, 'Open');
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
    role.addToPolicy(new iam.PolicyStatement({ actions: ['s3:*'], resources: ['arn:aws:s3:::one'] }));
    Validations.of(role).acknowledge({ id: 'AwsSolutions-IAM5', reason: 'bare' });
    const rules = new AwsSolutionsChecks(planted).validateScope(planted).violations.map(({ ruleName }) => ruleName);
    expect(rules).toEqual(
      expect.arrayContaining(['AwsSolutions-S1', 'AwsSolutions-S10', 'AwsSolutions-IAM5[Action::s3:*]']),
    );
    expect(() => planted.synth()).toThrow('AwsSolutions-S1');
    Validations.of(role).acknowledge({ id: 'AwsSolutions-IAM5[Action::s3:*]', reason: 'named' });
    const left = new AwsSolutionsChecks(planted).validateScope(planted).violations.map(({ ruleName }) => ruleName);
    expect(left).not.toContain('AwsSolutions-IAM5[Action::s3:*]');
  });
});

describe('the settings', () => {
  it.each([
    ['a domain that is a URL', { domainName: 'https://one' }, 'domainName'],
    ['a size that is not one', { size: 'huge' }, 'size'],
    ['a region that is not one', { region: 'Frankfurt' }, 'region'],
    ['an image without a tag', { image: 'tapeproof' }, 'image'],
    ['no budget', { monthlyBudgetUsd: undefined }, 'monthlyBudgetUsd'],
    ['an address that is not one', { alarmEmail: 'nobody' }, 'alarmEmail'],
  ])('refuse %s', (_, wrong, named) => {
    expect(() => parseSettings({ ...context, ...wrong })).toThrow(`Missing or wrong: ${named}.`);
  });

  it('have a price that grows with the size, and the table of the page', () => {
    const total = (size: Size, isBusy: boolean) =>
      monthlyCost(size, isBusy).reduce((sum, { usdAMonth }) => sum + usdAMonth, 0);
    expect(total('small', false)).toBeLessThan(total('medium', false));
    expect(total('medium', false)).toBeLessThan(total('large', false));
    for (const size of Object.keys(SIZES) as Size[]) expect(total(size, true)).toBeGreaterThan(total(size, false));
    const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'operations.md'), 'utf8');
    expect(page).toContain(costTable());
  });

  it('take the smallest size of Fargate that holds a service', () => {
    expect(fargateSize({ cpuMilli: 250, memoryMib: 512 })).toEqual([256, 512]);
    expect(fargateSize({ cpuMilli: 500, memoryMib: 512 })).toEqual([512, 1_024]);
    expect(() => fargateSize({ cpuMilli: 9_000, memoryMib: 512 })).toThrow('Fargate has no size');
  });
});
