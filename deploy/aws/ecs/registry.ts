import {
  aws_ec2 as ec2,
  aws_ecs as ecs,
  type aws_kms as kms,
  aws_logs as logs,
  aws_secretsmanager as secretsmanager,
  aws_servicediscovery as discovery,
  Duration,
  RemovalPolicy,
  Validations,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import {
  PASSWORD_VARIABLES,
  POSTGRES_IMAGE,
  postgresSetup,
  REGISTRY_DATABASE,
  REGISTRY_ROLE,
} from '../postgres-setup.ts';
import { POSTGRES_DATABASE, POSTGRES_ROLES } from '../../../stack/postgres-roles.ts';
import type { Network } from './network.ts';
import { OPEN_VARIABLES } from './services.ts';
import { generatedSecret, type Postgres } from './stores.ts';

const REGISTRY_IMAGE = 'apicurio/apicurio-registry:3.0.9';
const REGISTRY_PORT = 8080;
const DOMAIN = 'tapeproof.internal';
const CPU = 512;
const MEMORY_MIB = 1_024;
const SETUP_CPU = 256;
const SETUP_MEMORY_MIB = 512;

export interface RegistrySettings {
  readonly network: Network;
  readonly postgres: Postgres;
  readonly key: kms.IKey;
  readonly cluster: ecs.Cluster;
}

/**
 * The schema registry, which keeps its schemas in its own database in Aurora; and the job that makes that database and
 * the roles, once, before anything else.
 */
export class Registry extends Construct {
  readonly url: string;
  readonly setup: ecs.FargateTaskDefinition;
  /** By the names of the list of services. */
  readonly postgresSecrets: ReadonlyMap<string, secretsmanager.Secret>;
  readonly #group: ec2.SecurityGroup;
  readonly #registrySecret: secretsmanager.Secret;

  constructor(scope: Construct, id: string, { network, postgres, key, cluster }: RegistrySettings) {
    super(scope, id);
    this.#group = network.group('RegistryGroup', 'Schema registry');
    postgres.allowFrom(this.#group);
    this.#registrySecret = generatedSecret(this, 'Password', key, 'postgres-registry');
    this.postgresSecrets = new Map(
      Object.keys(POSTGRES_ROLES).map((role) => [
        `postgres-${role}`,
        generatedSecret(this, `${role}-password`, key, `postgres-${role}`),
      ]),
    );
    this.setup = this.#setupTask(postgres);
    this.#service(network, postgres, cluster);
    this.url = `http://registry.${DOMAIN}:${REGISTRY_PORT}/apis/ccompat/v7`;
  }

  allowFrom(peer: ec2.ISecurityGroup): void {
    this.#group.addIngressRule(peer, ec2.Port.tcp(REGISTRY_PORT), 'readers of schemas');
  }

  #service(network: Network, postgres: Postgres, cluster: ecs.Cluster): void {
    const task = this.#task('registry', CPU, MEMORY_MIB);
    task.addContainer('registry', {
      image: ecs.ContainerImage.fromRegistry(REGISTRY_IMAGE),
      user: '185',
      environment: {
        APICURIO_STORAGE_KIND: 'sql',
        APICURIO_STORAGE_SQL_KIND: 'postgresql',
        APICURIO_DATASOURCE_URL: `jdbc:postgresql://${postgres.cluster.clusterEndpoint.hostname}:${postgres.cluster.clusterEndpoint.port}/${REGISTRY_DATABASE}?sslmode=require`,
        APICURIO_DATASOURCE_USERNAME: REGISTRY_ROLE,
      },
      secrets: { APICURIO_DATASOURCE_PASSWORD: ecs.Secret.fromSecretsManager(this.#registrySecret) },
      logging: this.#logging('registry'),
      portMappings: [{ containerPort: REGISTRY_PORT }],
      healthCheck: {
        command: ['CMD', 'curl', '--fail', '--silent', `http://localhost:${REGISTRY_PORT}/apis/ccompat/v7/subjects`],
        startPeriod: Duration.seconds(120),
      },
    });
    new ecs.FargateService(this, 'Service', {
      cluster,
      serviceName: 'registry',
      taskDefinition: task,
      desiredCount: 2,
      minHealthyPercent: 50,
      assignPublicIp: false,
      vpcSubnets: network.serviceSubnets,
      securityGroups: [this.#group],
      circuitBreaker: { rollback: true },
      cloudMapOptions: {
        name: 'registry',
        cloudMapNamespace: new discovery.PrivateDnsNamespace(this, 'Names', { vpc: network.vpc, name: DOMAIN }),
      },
    });
  }

  #setupTask(postgres: Postgres): ecs.FargateTaskDefinition {
    const task = this.#task('postgres-setup', SETUP_CPU, SETUP_MEMORY_MIB);
    const { secret: administrator } = postgres.cluster;
    if (administrator === undefined) throw new Error('Aurora has no secret of its administrator.');
    const secretOf = (role: string): secretsmanager.ISecret =>
      [...this.postgresSecrets].find(([name]) => role === `tapeproof_${name.slice('postgres-'.length)}`)?.[1] ??
      this.#registrySecret;
    task.addContainer('postgres-setup', {
      image: ecs.ContainerImage.fromRegistry(POSTGRES_IMAGE),
      user: 'postgres',
      readonlyRootFilesystem: true,
      entryPoint: ['sh', '-c'],
      command: ['printf %s "$SETUP" | psql --no-psqlrc --set ON_ERROR_STOP=1'],
      environment: {
        SETUP: postgresSetup(),
        PGHOST: postgres.cluster.clusterEndpoint.hostname,
        PGDATABASE: POSTGRES_DATABASE,
        PGSSLMODE: 'require',
      },
      secrets: {
        PGUSER: ecs.Secret.fromSecretsManager(administrator, 'username'),
        PGPASSWORD: ecs.Secret.fromSecretsManager(administrator, 'password'),
        ...Object.fromEntries(
          Object.entries(PASSWORD_VARIABLES).map(([role, variable]) => [
            variable,
            ecs.Secret.fromSecretsManager(secretOf(role)),
          ]),
        ),
      },
      logging: this.#logging('postgres-setup'),
    });
    return task;
  }

  #task(name: string, cpu: number, memoryLimitMiB: number): ecs.FargateTaskDefinition {
    const task = new ecs.FargateTaskDefinition(this, `${name}-task`, {
      ...{ family: `tapeproof-${name}`, cpu, memoryLimitMiB },
    });
    Validations.of(task).acknowledge({ id: 'AwsSolutions-ECS2', reason: OPEN_VARIABLES });
    return task;
  }

  #logging(name: string): ecs.LogDriver {
    const logGroup = new logs.LogGroup(this, `${name}-log`, {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    return ecs.LogDrivers.awsLogs({ streamPrefix: name, logGroup });
  }
}
