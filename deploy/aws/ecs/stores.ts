import {
  aws_ec2 as ec2,
  aws_elasticache as elasticache,
  aws_kms as kms,
  aws_rds as rds,
  aws_secretsmanager as secretsmanager,
  CfnDynamicReference,
  CfnDynamicReferenceService,
  Duration,
  RemovalPolicy,
  Validations,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { POSTGRES_DATABASE } from '../../../stack/postgres-roles.ts';
import { REDIS_APPLICATION, REDIS_APPLICATION_RULES } from '../../../stack/redis-users.ts';
import type { Network } from './network.ts';
import { AURORA_ACU_MIN, SIZES, type Size } from './settings.ts';

const BACKUP_DAYS = 14;
const POSTGRES_PORT = 5432;
const REDIS_PORT = 6379;
const REDIS_NODES = 2;
const REDIS_SNAPSHOT_DAYS = 3;
const PASSWORD_CHARACTERS = 40;

const ROTATION =
  'A store and its clients must change together: docs/operations.md has the steps, which one job and a new deployment are.';

export interface StoreSettings {
  readonly network: Network;
  readonly size: Size;
  readonly key: kms.IKey;
}

/** A password that nobody chose, encrypted with the deployment's key. */
export function generatedSecret(scope: Construct, id: string, key: kms.IKey, name: string): secretsmanager.Secret {
  const secret = new secretsmanager.Secret(scope, id, {
    secretName: `tapeproof/${name}`,
    encryptionKey: key,
    generateSecretString: { passwordLength: PASSWORD_CHARACTERS, excludePunctuation: true },
  });
  Validations.of(secret).acknowledge({ id: 'AwsSolutions-SMG4', reason: ROTATION });
  return secret;
}

/** Aurora, for what is read as history. It can be built again from the tape. */
export class Postgres extends Construct {
  readonly cluster: rds.DatabaseCluster;
  readonly url: string;

  constructor(scope: Construct, id: string, { network, size, key }: StoreSettings) {
    super(scope, id);
    const engine = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_5 });
    this.cluster = new rds.DatabaseCluster(this, 'Aurora', {
      engine,
      vpc: network.vpc,
      vpcSubnets: network.dataSubnets,
      securityGroups: [network.group('PostgresGroup', 'Postgres')],
      port: POSTGRES_PORT,
      defaultDatabaseName: POSTGRES_DATABASE,
      credentials: rds.Credentials.fromGeneratedSecret('administrator', { encryptionKey: key }),
      writer: rds.ClusterInstance.serverlessV2('writer'),
      readers: [rds.ClusterInstance.serverlessV2('reader', { scaleWithWriter: true })],
      serverlessV2MinCapacity: AURORA_ACU_MIN,
      serverlessV2MaxCapacity: SIZES[size].auroraAcuMax,
      parameterGroup: new rds.ParameterGroup(this, 'Parameters', { engine, parameters: { 'rds.force_ssl': '1' } }),
      storageEncrypted: true,
      storageEncryptionKey: key,
      backup: { retention: Duration.days(BACKUP_DAYS) },
      deletionProtection: true,
      iamAuthentication: true,
      cloudwatchLogsExports: ['postgresql'],
      copyTagsToSnapshot: true,
      removalPolicy: RemovalPolicy.SNAPSHOT,
    });
    // The secret of its administrator, who is used once.
    Validations.of(this.cluster).acknowledge({ id: 'AwsSolutions-SMG4', reason: ROTATION });
    this.url = `postgres://${this.cluster.clusterEndpoint.hostname}:${POSTGRES_PORT}/${POSTGRES_DATABASE}?sslmode=verify-full`;
  }

  allowFrom(peer: ec2.ISecurityGroup): void {
    this.cluster.connections.allowFrom(peer, ec2.Port.tcp(POSTGRES_PORT), 'clients of Postgres');
  }
}

/** ElastiCache, for what is read as the latest state. It can be built again from the tape. */
export class Redis extends Construct {
  readonly cluster: elasticache.CfnReplicationGroup;
  readonly password: secretsmanager.Secret;
  readonly url: string;
  readonly #group: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { network, size, key }: StoreSettings) {
    super(scope, id);
    this.#group = network.group('RedisGroup', 'Redis');
    this.password = generatedSecret(this, 'Password', key, 'redis');
    const subnets = new elasticache.CfnSubnetGroup(this, 'Subnets', {
      description: 'Redis of Tapeproof',
      subnetIds: network.vpc.selectSubnets(network.dataSubnets).subnetIds,
    });
    const parameters = new elasticache.CfnParameterGroup(this, 'Parameters', {
      cacheParameterGroupFamily: 'valkey8',
      description: 'A read model must not lose keys',
      properties: { 'maxmemory-policy': 'noeviction' },
    });
    this.cluster = new elasticache.CfnReplicationGroup(this, 'Cluster', {
      replicationGroupDescription: 'Redis of Tapeproof',
      engine: 'valkey',
      engineVersion: '8.0',
      cacheNodeType: SIZES[size].redisType,
      numCacheClusters: REDIS_NODES,
      multiAzEnabled: true,
      automaticFailoverEnabled: true,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      atRestEncryptionEnabled: true,
      kmsKeyId: key.keyId,
      userGroupIds: [this.#userGroup().ref],
      cacheSubnetGroupName: subnets.ref,
      cacheParameterGroupName: parameters.ref,
      securityGroupIds: [this.#group.securityGroupId],
      // cdk-nag's reading of "not the default": a port that is not the well-known one.
      port: REDIS_PORT + 1,
      snapshotRetentionLimit: REDIS_SNAPSHOT_DAYS,
      autoMinorVersionUpgrade: true,
    });
    Validations.of(this.cluster).acknowledge({
      id: 'AwsSolutions-AEC6',
      reason: 'Users with rules of their own (a user group) take the place of one password for all.',
    });
    this.url = `rediss://${this.cluster.attrPrimaryEndPointAddress}:${this.cluster.attrPrimaryEndPointPort}`;
  }

  allowFrom(peer: ec2.ISecurityGroup): void {
    this.#group.addIngressRule(peer, ec2.Port.tcp(REDIS_PORT + 1), 'clients of Redis');
  }

  /** The application's user, with its rules, and a default user that may nothing. */
  #userGroup(): elasticache.CfnUserGroup {
    const application = new elasticache.CfnUser(this, 'Application', {
      engine: 'valkey',
      userId: `${REDIS_APPLICATION}-application`,
      userName: REDIS_APPLICATION,
      accessString: `on ${REDIS_APPLICATION_RULES}`,
      authenticationMode: { Type: 'password', Passwords: [this.#passwordReference()] },
    });
    return new elasticache.CfnUserGroup(this, 'Users', {
      engine: 'valkey',
      userGroupId: 'tapeproof-users',
      userIds: [application.ref],
    });
  }

  /** Read by CloudFormation itself: the password is in no template. */
  #passwordReference(): string {
    return new CfnDynamicReference(
      CfnDynamicReferenceService.SECRETS_MANAGER,
      `${this.password.secretArn}:SecretString`,
    ).toString();
  }
}
