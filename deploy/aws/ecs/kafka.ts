import {
  aws_applicationautoscaling as scaling,
  aws_ec2 as ec2,
  aws_iam as iam,
  type aws_kms as kms,
  aws_logs as logs,
  aws_msk as msk,
  custom_resources as customResources,
  Fn,
  RemovalPolicy,
  Validations,
  Stack,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { rulesOf, type Operation, type Resource, type Rule } from '../../../stack/kafka-rules.ts';
import type { Role } from '../../../stack/kafka-principals.ts';
import type { Network } from './network.ts';
import { SIZES, type Size } from './settings.ts';

const BROKERS = 3;
const KAFKA_VERSION = '4.0.x.kraft';
/** Clients with IAM. */
export const KAFKA_PORT = 9098;
const STORAGE_GIB_MAX = 16_384;
const STORAGE_USED_PERCENT = 60;
const OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60;

/** What makes an acknowledged record durable, and keeps it for ever; topics are made by `topics apply` with these defaults. */
export const BROKER_PROPERTIES = {
  'auto.create.topics.enable': 'false',
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'unclean.leader.election.enable': 'false',
  'log.retention.ms': '-1',
  'log.retention.bytes': '-1',
  'offsets.retention.minutes': String(OFFSETS_RETENTION_MINUTES),
  'offsets.topic.replication.factor': '3',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
} as const;

/** Kafka's operations, as IAM calls them for MSK. */
const ACTIONS: Readonly<Record<Resource, Partial<Record<Operation, readonly string[]>>>> = {
  TOPIC: {
    READ: ['ReadData'],
    WRITE: ['WriteData'],
    CREATE: ['CreateTopic'],
    DELETE: ['DeleteTopic'],
    DESCRIBE: ['DescribeTopic'],
    DESCRIBE_CONFIGS: ['DescribeTopicDynamicConfiguration'],
    ALTER_CONFIGS: ['AlterTopicDynamicConfiguration'],
  },
  GROUP: { READ: ['AlterGroup'], DESCRIBE: ['DescribeGroup'] },
  CLUSTER: { DESCRIBE: ['DescribeCluster'], DESCRIBE_CONFIGS: ['DescribeClusterDynamicConfiguration'] },
};

/** Managed Kafka: three brokers in three zones, TLS and IAM only. */
export class Kafka extends Construct {
  readonly cluster: msk.CfnCluster;
  readonly clusterName = 'tapeproof';
  readonly brokers: string;
  readonly #group: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { network, size, key }: { network: Network; size: Size; key: kms.IKey }) {
    super(scope, id);
    this.#group = network.group('KafkaGroup', 'Kafka brokers');
    const { brokerType, brokerStorageGib } = SIZES[size];
    const configuration = new msk.CfnConfiguration(this, 'Configuration', {
      name: 'tapeproof-durable',
      serverProperties: Object.entries(BROKER_PROPERTIES)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    });
    const log = new logs.LogGroup(this, 'Log', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.cluster = new msk.CfnCluster(this, 'Cluster', {
      clusterName: this.clusterName,
      kafkaVersion: KAFKA_VERSION,
      numberOfBrokerNodes: BROKERS,
      brokerNodeGroupInfo: {
        instanceType: brokerType,
        clientSubnets: network.vpc.selectSubnets(network.dataSubnets).subnetIds,
        securityGroups: [this.#group.securityGroupId],
        storageInfo: { ebsStorageInfo: { volumeSize: brokerStorageGib } },
        connectivityInfo: { publicAccess: { type: 'DISABLED' } },
      },
      configurationInfo: { arn: configuration.attrArn, revision: configuration.attrLatestRevisionRevision },
      clientAuthentication: { sasl: { iam: { enabled: true } }, unauthenticated: { enabled: false } },
      encryptionInfo: {
        encryptionInTransit: { clientBroker: 'TLS', inCluster: true },
        encryptionAtRest: { dataVolumeKmsKeyId: key.keyArn },
      },
      enhancedMonitoring: 'PER_TOPIC_PER_BROKER',
      openMonitoring: {
        prometheus: { jmxExporter: { enabledInBroker: true }, nodeExporter: { enabledInBroker: true } },
      },
      loggingInfo: { brokerLogs: { cloudWatchLogs: { enabled: true, logGroup: log.logGroupName } } },
    });
    // The tape is the only thing that cannot be derived again.
    this.cluster.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.brokers = this.#bootstrapBrokers();
    this.#growStorage();
  }

  allowFrom(peer: ec2.ISecurityGroup): void {
    this.#group.addIngressRule(peer, ec2.Port.tcp(KAFKA_PORT), 'clients with IAM');
  }

  /** What a role may do, by the rules that a secured local stack has: each is denied everything else. */
  statementsOf(role: Role): iam.PolicyStatement[] {
    const connect = this.#statement(
      'ALLOW',
      ['Connect', 'WriteDataIdempotently', 'DescribeCluster'],
      [this.cluster.attrArn],
    );
    return [connect, ...rulesOf(role).map((rule) => this.#statementOf(rule))];
  }

  /** A group's name has a version or generation at its end: the rules name the beginning, and no topic so. */
  acknowledgeGroups(role: iam.Role, of: Role): void {
    const names = rulesOf(of).flatMap((rule) => (rule.resource === 'GROUP' ? rule.names : []));
    for (const name of new Set(names)) {
      const [before, after] = this.#parts().map((part) => JSON.stringify(Stack.of(this).resolve(part)));
      // The rule's id alone would acknowledge nothing: each finding is named as it is written.
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${before}:group/${after}/${name}]`,
        reason: 'The name of a consumer group ends in the version of the engine or the generation of a read model.',
      });
    }
  }

  #statementOf({ permission, resource, names, operations }: Rule): iam.PolicyStatement {
    const actions = operations.flatMap((operation) => {
      const found = ACTIONS[resource][operation];
      if (found === undefined) throw new Error(`IAM for MSK has no ${operation} of a ${resource}.`);
      return found;
    });
    const arns = resource === 'CLUSTER' ? [this.cluster.attrArn] : names.map((name) => this.#arnOf(resource, name));
    return this.#statement(permission, actions, arns);
  }

  #statement(permission: Rule['permission'], actions: readonly string[], resources: string[]): iam.PolicyStatement {
    return new iam.PolicyStatement({
      effect: permission === 'ALLOW' ? iam.Effect.ALLOW : iam.Effect.DENY,
      actions: actions.map((action) => `kafka-cluster:${action}`),
      resources,
    });
  }

  /** `arn:…:cluster/NAME/ID` names topics and groups as `arn:…:topic/NAME/ID/topic`. */
  #arnOf(resource: Exclude<Resource, 'CLUSTER'>, name: string): string {
    const [before, after] = this.#parts();
    return `${before}:${resource.toLowerCase()}/${after}/${name}`;
  }

  #parts(): readonly [string, string] {
    const parts = Fn.split(':cluster/', this.cluster.attrArn);
    return [Fn.select(0, parts), Fn.select(1, parts)];
  }

  #bootstrapBrokers(): string {
    const { cluster } = this;
    const lookup = new customResources.AwsCustomResource(this, 'Brokers', {
      onUpdate: {
        service: 'Kafka',
        action: 'getBootstrapBrokers',
        parameters: { ClusterArn: cluster.attrArn },
        physicalResourceId: customResources.PhysicalResourceId.of('brokers'),
      },
      policy: customResources.AwsCustomResourcePolicy.fromStatements([
        new iam.PolicyStatement({ actions: ['kafka:GetBootstrapBrokers'], resources: [cluster.attrArn] }),
      ]),
      installLatestAwsSdk: false,
    });
    Validations.of(Stack.of(this)).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: "The function that asks for the brokers' addresses while the stack is made only writes its log.",
    });
    return lookup.getResponseField('BootstrapBrokerStringSaslIam');
  }

  #growStorage(): void {
    const target = new scaling.ScalableTarget(this, 'Storage', {
      serviceNamespace: scaling.ServiceNamespace.KAFKA,
      scalableDimension: 'kafka:broker-storage:VolumeSize',
      resourceId: this.cluster.attrArn,
      minCapacity: 1,
      maxCapacity: STORAGE_GIB_MAX,
    });
    target.scaleToTrackMetric('Used', {
      predefinedMetric: scaling.PredefinedMetric.KAFKA_BROKER_STORAGE_UTILIZATION,
      targetValue: STORAGE_USED_PERCENT,
      disableScaleIn: true,
    });
  }
}
