import {
  aws_budgets as budgets,
  aws_cloudwatch as cloudwatch,
  aws_cloudwatch_actions as actions,
  type aws_ecs as ecs,
  type aws_elasticloadbalancingv2 as balancing,
  aws_iam as iam,
  aws_kms as kms,
  aws_sns as sns,
  aws_sns_subscriptions as subscriptions,
  Duration,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PROCESSES } from '../../services.ts';
import type { Kafka } from './kafka.ts';
import { lagSeconds } from './services.ts';
import type { DeploymentSettings } from './settings.ts';
import type { Postgres, Redis } from './stores.ts';

const LAG_S_MAX = 60;
const DISK_PERCENT_MAX = 80;
const POSTGRES_ACU_PERCENT_MAX = 90;
const REDIS_MEMORY_PERCENT_MAX = 80;
const BUDGET_PERCENTS = [80, 100];
const MINUTE = Duration.minutes(1);

export interface AlarmSettings {
  readonly settings: DeploymentSettings;
  readonly key: kms.Key;
  readonly kafka: Kafka;
  readonly postgres: Postgres;
  readonly redis: Redis;
  readonly clusterName: string;
  readonly running: ReadonlyMap<string, ecs.FargateService>;
  readonly targets: balancing.ApplicationTargetGroup;
}

/** What wakes somebody; what the processes measure themselves is in Prometheus' rules, docs/operations.md. */
export class Alarms extends Construct {
  readonly #topic: sns.Topic;

  constructor(scope: Construct, id: string, parts: AlarmSettings) {
    super(scope, id);
    const { settings, key, kafka, postgres, redis, targets } = parts;
    key.grantEncryptDecrypt(new iam.ServicePrincipal('cloudwatch.amazonaws.com'));
    this.#topic = new sns.Topic(this, 'Topic', { masterKey: key, enforceSSL: true });
    this.#topic.addSubscription(new subscriptions.EmailSubscription(settings.alarmEmail));
    const kafkaMetric = (metricName: string) =>
      new cloudwatch.Metric({
        ...{ namespace: 'AWS/Kafka', metricName, statistic: 'Maximum', period: MINUTE },
        dimensionsMap: { 'Cluster Name': kafka.clusterName },
      });
    this.#above('kafka-partitions-offline', kafkaMetric('OfflinePartitionsCount'), 0, 1);
    this.#above('kafka-partitions-under-replicated', kafkaMetric('UnderReplicatedPartitions'), 0, 15);
    this.#above('kafka-disk', kafkaMetric('KafkaDataLogsDiskUsed'), DISK_PERCENT_MAX, 5);
    this.#above(
      'postgres-capacity',
      postgres.cluster.metricACUUtilization({ period: MINUTE }),
      POSTGRES_ACU_PERCENT_MAX,
      15,
    );
    this.#above(
      'redis-memory',
      new cloudwatch.Metric({
        ...{
          namespace: 'AWS/ElastiCache',
          metricName: 'DatabaseMemoryUsagePercentage',
          statistic: 'Maximum',
          period: MINUTE,
        },
        dimensionsMap: { ReplicationGroupId: redis.cluster.ref },
      }),
      REDIS_MEMORY_PERCENT_MAX,
      5,
    );
    this.#above('page-not-ready', targets.metrics.unhealthyHostCount({ period: MINUTE }), 0, 5);
    for (const { name, replicas } of PROCESSES) {
      const least = replicas.kind === 'fixed' ? replicas.count : replicas.min;
      this.#tooFewTasks(name, parts.clusterName, least);
      if (replicas.kind === 'by-lag') this.#above(`${name}-lag`, lagSeconds(name), LAG_S_MAX, 5);
    }
    budget(this, settings);
  }

  #above(name: string, metric: cloudwatch.IMetric, threshold: number, minutes: number): void {
    this.#alarm(name, {
      metric,
      threshold,
      evaluationPeriods: minutes,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    });
  }

  #tooFewTasks(name: string, clusterName: string, least: number): void {
    const metric = new cloudwatch.Metric({
      ...{ namespace: 'ECS/ContainerInsights', metricName: 'RunningTaskCount', statistic: 'Minimum', period: MINUTE },
      dimensionsMap: { ClusterName: clusterName, ServiceName: name },
    });
    this.#alarm(`${name}-not-running`, {
      ...{ metric, threshold: least, evaluationPeriods: 5 },
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    });
  }

  #alarm(name: string, props: Omit<cloudwatch.AlarmProps, 'alarmName'>): void {
    const alarm = new cloudwatch.Alarm(this, name, { alarmName: `tapeproof-${name}`, ...props });
    alarm.addAlarmAction(new actions.SnsAction(this.#topic));
  }
}

function budget(scope: Construct, { monthlyBudgetUsd, alarmEmail }: DeploymentSettings): void {
  new budgets.CfnBudget(scope, 'Budget', {
    budget: {
      budgetName: 'tapeproof',
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: monthlyBudgetUsd, unit: 'USD' },
    },
    notificationsWithSubscribers: BUDGET_PERCENTS.map((threshold) => ({
      notification: {
        notificationType: 'FORECASTED',
        comparisonOperator: 'GREATER_THAN',
        threshold,
        thresholdType: 'PERCENTAGE',
      },
      subscribers: [{ subscriptionType: 'EMAIL', address: alarmEmail }],
    })),
  });
}
