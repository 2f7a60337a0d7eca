import {
  aws_cloudwatch as cloudwatch,
  aws_ec2 as ec2,
  Aws,
  aws_ecr as ecr,
  aws_ecs as ecs,
  aws_iam as iam,
  aws_kms as kms,
  aws_logs as logs,
  aws_secretsmanager as secretsmanager,
  Duration,
  RemovalPolicy,
  Validations,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { CLOUDWATCH_NAMESPACE, SERVICE_DIMENSION } from '../../cloudwatch/lag-line.ts';
import {
  environmentOf,
  HEALTH_PATHS,
  HEALTH_PORT,
  JOBS,
  LAG_METRIC,
  PROCESSES,
  READY_DEADLINE_S,
  secretsOf,
  STOP_GRACE_S,
  type DeployedProcess,
  type DeployedService,
  type ReplicasByLag,
  type Resources,
  type ServiceAddresses,
} from '../../services.ts';
import type { Kafka } from './kafka.ts';
import type { Network } from './network.ts';
import { SIZES, type DeploymentSettings } from './settings.ts';
import { generatedSecret, type Postgres, type Redis } from './stores.ts';

/** CPU units and the least memory in MiB that Fargate combines with them. */
const FARGATE_SIZES = [
  [256, 512],
  [512, 1_024],
  [1_024, 2_048],
  [2_048, 4_096],
] as const;
const CPU_UNITS = 1_024;
const MILLI = 1_000;
/** In the image: who signs Aurora's certificates. */
export const RDS_AUTHORITIES_FILE = '/app/deploy/certificates/rds.pem';
/** ECS gives a health check at most five minutes to begin; whoever recovers longer is alive, which is what is asked. */
const START_PERIOD_S_MAX = 300;
/** Account, region, repository, and tag or digest. */
const ECR_IMAGE = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com\/([\w./-]+)[:@]([\w.:-]+)$/;
const USER = '1000:1000';
export const LAG_PROGRAM = 'deploy/cloudwatch/lag.ts';
const LAG_MEMORY_MIB = 128;
const COOLDOWN_MINUTES = 10;
export const OPEN_VARIABLES = 'Addresses and names only: whatever is secret comes from Secrets Manager.';

export interface ServicesSettings {
  readonly settings: DeploymentSettings;
  readonly network: Network;
  readonly kafka: Kafka;
  readonly postgres: Postgres;
  readonly redis: Redis;
  readonly key: kms.IKey;
  readonly registryUrl: string;
  /** The passwords of the roles, by the names of the list. */
  readonly postgresSecrets: ReadonlyMap<string, secretsmanager.Secret>;
  readonly cluster: ecs.Cluster;
}

/** Every service of the list: a task with a role of its own. */
export class Services extends Construct {
  readonly running = new Map<string, ecs.FargateService>();
  readonly jobs = new Map<string, ecs.FargateTaskDefinition>();
  readonly #secrets: Map<string, secretsmanager.Secret>;
  readonly group: ec2.SecurityGroup;
  readonly #with: ServicesSettings;
  readonly #addresses: ServiceAddresses;
  readonly #image: ecs.ContainerImage;

  constructor(scope: Construct, id: string, parts: ServicesSettings) {
    super(scope, id);
    this.#with = parts;
    this.#image = this.#imageOf(parts.settings.image);
    const { network, kafka, postgres, redis, registryUrl } = parts;
    this.group = network.group('ServicesGroup', 'Processes of Tapeproof');
    kafka.allowFrom(this.group);
    postgres.allowFrom(this.group);
    redis.allowFrom(this.group);
    this.#addresses = { kafkaBrokers: kafka.brokers, registryUrl, postgresUrl: postgres.url, redisUrl: redis.url };
    this.#secrets = new Map([...parts.postgresSecrets, ['redis', redis.password]]);
    for (const job of JOBS) this.jobs.set(job.name, this.#task(job));
    for (const process of PROCESSES) this.running.set(process.name, this.#service(process));
  }

  /** One in ECR is pulled with the right to it; any other must be public. */
  #imageOf(name: string): ecs.ContainerImage {
    const [, account, region, repository, version] = ECR_IMAGE.exec(name) ?? [];
    if (repository === undefined) return ecs.ContainerImage.fromRegistry(name);
    const repositoryArn = `arn:${Aws.PARTITION}:ecr:${region}:${account}:repository/${repository}`;
    return ecs.ContainerImage.fromEcrRepository(
      ecr.Repository.fromRepositoryAttributes(this, 'Image', { repositoryArn, repositoryName: repository }),
      version,
    );
  }

  #service(process: DeployedProcess): ecs.FargateService {
    const { name, replicas } = process;
    const count = replicas.kind === 'fixed' ? replicas.count : replicas.min;
    const service = new ecs.FargateService(this, `${name}-service`, {
      cluster: this.#with.cluster,
      serviceName: name,
      taskDefinition: this.#task(process),
      desiredCount: count,
      assignPublicIp: false,
      vpcSubnets: this.#with.network.serviceSubnets,
      securityGroups: [this.group],
      circuitBreaker: { rollback: true },
      // One at a time is replaced where there are several; a single one that holds partitions is followed by its successor.
      minHealthyPercent: count > 1 ? 50 : 0,
      maxHealthyPercent: count > 1 ? 150 : 100,
      enableExecuteCommand: false,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
    if (replicas.kind === 'by-lag') this.#scaleByLag(service, name, replicas);
    return service;
  }

  #scaleByLag(service: ecs.FargateService, name: string, { min, max, lagS }: ReplicasByLag): void {
    const target = service.autoScaleTaskCount({
      minCapacity: min,
      maxCapacity: Math.min(max, SIZES[this.#with.settings.size].enginesMax),
    });
    target.scaleOnMetric('Lag', {
      metric: lagSeconds(name),
      scalingSteps: [
        { upper: lagS / 2, change: -1 },
        { lower: lagS, change: 1 },
        { lower: lagS * 6, change: 2 },
      ],
      // Each change moves partitions, whose states are then recovered.
      cooldown: Duration.minutes(COOLDOWN_MINUTES),
    });
  }

  #task(service: DeployedService): ecs.FargateTaskDefinition {
    const { name, resources, role, command } = service;
    const [cpu, memoryLimitMiB] = fargateSize(resources);
    const task = new ecs.FargateTaskDefinition(this, `${name}-task`, {
      family: `tapeproof-${name}`,
      cpu,
      memoryLimitMiB,
      runtimePlatform: {
        cpuArchitecture: ecs.CpuArchitecture.ARM64,
        operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
      },
      taskRole: this.#roleOf(name, role),
    });
    Validations.of(task).acknowledge(
      { id: 'AwsSolutions-ECS2', reason: OPEN_VARIABLES },
      { id: 'AwsSolutions-IAM5[Resource::*]', reason: 'To sign in to a registry of images names no resource.' },
    );
    const log = new logs.LogGroup(this, `${name}-log`, {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const isProcess = service.kind === 'process';
    task.addContainer(name, {
      image: this.#image,
      command: [...command],
      environment: this.#environmentOf(service),
      secrets: Object.fromEntries(
        secretsOf(service).map(({ variable, secret }) => [
          variable,
          ecs.Secret.fromSecretsManager(this.#secret(secret)),
        ]),
      ),
      logging: ecs.LogDrivers.awsLogs({ streamPrefix: name, logGroup: log }),
      readonlyRootFilesystem: true,
      user: USER,
      stopTimeout: Duration.seconds(STOP_GRACE_S),
      ...(isProcess ? { healthCheck: HEALTH_CHECK, portMappings: portsOf(service) } : {}),
    });
    if (isProcess && service.replicas.kind === 'by-lag') this.#reportLag(task, name, log);
    return task;
  }

  /** Beside the process, in the same network: CloudWatch makes a metric of what it prints. */
  #reportLag(task: ecs.FargateTaskDefinition, name: string, logGroup: logs.LogGroup): void {
    task.addContainer(`${name}-lag`, {
      image: this.#image,
      entryPoint: ['node'],
      command: [LAG_PROGRAM, name, LAG_METRIC, `http://127.0.0.1:${HEALTH_PORT}${HEALTH_PATHS.metrics}`],
      // The process does its work without it.
      essential: false,
      enableRestartPolicy: true,
      memoryLimitMiB: LAG_MEMORY_MIB,
      logging: ecs.LogDrivers.awsLogs({ streamPrefix: `${name}-lag`, logGroup }),
      readonlyRootFilesystem: true,
      user: USER,
    });
  }

  #environmentOf(service: DeployedService): Record<string, string> {
    const { region, domainName } = this.#with.settings;
    return {
      ...environmentOf(service, this.#addresses),
      TAPEPROOF_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      TAPEPROOF_KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
      TAPEPROOF_KAFKA_AWS_REGION: region,
      TAPEPROOF_POSTGRES_CA_FILE: RDS_AUTHORITIES_FILE,
      ...(service.kind === 'process' && service.servesPort !== undefined ? { TAPEPROOF_HTTP_NAMES: domainName } : {}),
    };
  }

  #roleOf(name: string, role: DeployedService['role']): iam.Role {
    const taskRole = new iam.Role(this, `${name}-role`, {
      assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com'),
      description: `${name} as ${role}`,
    });
    for (const statement of this.#with.kafka.statementsOf(role)) taskRole.addToPolicy(statement);
    this.#with.kafka.acknowledgeGroups(taskRole, role);
    return taskRole;
  }

  /** The owner puts the key that signs checkpoints here; what stands here at first is not a key. */
  #secret(name: string): secretsmanager.Secret {
    const secret = this.#secrets.get(name) ?? generatedSecret(this, `${name}-secret`, this.#with.key, name);
    this.#secrets.set(name, secret);
    return secret;
  }
}

const HEALTH_CHECK: ecs.HealthCheck = {
  command: [
    ...['CMD', 'node', '-e'],
    `fetch('http://127.0.0.1:${HEALTH_PORT}${HEALTH_PATHS.alive}').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))`,
  ],
  interval: Duration.seconds(15),
  timeout: Duration.seconds(5),
  retries: 4,
  startPeriod: Duration.seconds(Math.min(READY_DEADLINE_S, START_PERIOD_S_MAX)),
};

function portsOf({ servesPort }: DeployedProcess): ecs.PortMapping[] {
  return [{ containerPort: HEALTH_PORT }, ...(servesPort === undefined ? [] : [{ containerPort: servesPort }])];
}

/** The smallest that Fargate has for it. */
export function fargateSize({ cpuMilli, memoryMib }: Resources): readonly [number, number] {
  const units = (cpuMilli * CPU_UNITS) / MILLI;
  const found = FARGATE_SIZES.find(([cpu, memory]) => cpu >= units && memory >= memoryMib);
  if (found === undefined) throw new Error(`Fargate has no size for ${cpuMilli} milli and ${memoryMib} MiB here.`);
  return found;
}

/** The longest lag of any partition of a service that is scaled by it. */
export function lagSeconds(service: string): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: CLOUDWATCH_NAMESPACE,
    metricName: LAG_METRIC,
    dimensionsMap: { [SERVICE_DIMENSION]: service },
    statistic: 'Maximum',
    period: Duration.minutes(1),
  });
}
