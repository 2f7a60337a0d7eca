import { aws_ecs as ecs, aws_kms as kms, CfnOutput, Stack, Tags, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { Entrance } from './entrance.ts';
import { Kafka } from './kafka.ts';
import { Network } from './network.ts';
import { Registry } from './registry.ts';
import { Services } from './services.ts';
import type { DeploymentSettings } from './settings.ts';
import { Postgres, Redis } from './stores.ts';

/** Tapeproof on ECS: managed Kafka, Postgres and Redis, the services of the list, and one way in. */
export class TapeproofStack extends Stack {
  constructor(scope: Construct, id: string, settings: DeploymentSettings, props: StackProps) {
    super(scope, id, { ...props, terminationProtection: true });
    const { region, size } = settings;
    const key = new kms.Key(this, 'Key', { enableKeyRotation: true, description: 'Data and secrets of Tapeproof' });
    const network = new Network(this, 'Network', region);
    const shared = { network, size, key };
    const kafka = new Kafka(this, 'Kafka', shared);
    const postgres = new Postgres(this, 'Postgres', shared);
    const redis = new Redis(this, 'Redis', shared);
    const cluster = new ecs.Cluster(this, 'Cluster', {
      vpc: network.vpc,
      clusterName: 'tapeproof',
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
    });
    const registry = new Registry(this, 'Registry', { network, postgres, key, cluster });
    const services = new Services(this, 'Services', {
      ...{ settings, network, kafka, postgres, redis, key, cluster },
      registryUrl: registry.url,
      postgresSecrets: registry.postgresSecrets,
    });
    registry.allowFrom(services.group);
    const dashboard = services.running.get('dashboard');
    if (dashboard === undefined) throw new Error('The list of services has no dashboard.');
    const { balancer, targets } = new Entrance(this, 'Entrance', {
      ...{ settings, network, dashboard },
      dashboardGroup: services.group,
    });
    new Alarms(this, 'Alarms', {
      ...{ settings, key, kafka, postgres, redis, targets },
      clusterName: cluster.clusterName,
      running: services.running,
    });
    new CfnOutput(this, 'PageBalancer', { value: balancer.loadBalancerDnsName });
    new CfnOutput(this, 'JobSubnets', { value: network.vpc.selectSubnets(network.serviceSubnets).subnetIds.join(',') });
    new CfnOutput(this, 'JobSecurityGroup', { value: services.group.securityGroupId });
    Tags.of(this).add('project', 'tapeproof');
  }
}
