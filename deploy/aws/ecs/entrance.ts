import {
  aws_certificatemanager as certificates,
  aws_cognito as cognito,
  aws_ec2 as ec2,
  type aws_ecs as ecs,
  aws_elasticloadbalancingv2 as balancing,
  aws_elasticloadbalancingv2_actions as actions,
  aws_s3 as s3,
  Duration,
  RemovalPolicy,
  Validations,
} from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DASHBOARD_PORT, HEALTH_PATHS, HEALTH_PORT } from '../../services.ts';
import type { Network } from './network.ts';
import type { DeploymentSettings } from './settings.ts';

const HTTPS_PORT = 443;
const LOG_DAYS = 90;
const SESSION_HOURS = 12;
/** Longer than the page's stream of events is silent. */
const IDLE_S = 120;
const PASSWORD_CHARACTERS_MIN = 14;

export interface EntranceSettings {
  readonly settings: DeploymentSettings;
  readonly network: Network;
  readonly dashboard: ecs.FargateService;
  readonly dashboardGroup: ec2.SecurityGroup;
}

/** The only way in: TLS, then a person who has signed in with a second factor, then the page, which asks for its token. */
export class Entrance extends Construct {
  readonly balancer: balancing.ApplicationLoadBalancer;
  readonly targets: balancing.ApplicationTargetGroup;

  constructor(scope: Construct, id: string, { settings, network, dashboard, dashboardGroup }: EntranceSettings) {
    super(scope, id);
    const group = network.group('EntranceGroup', 'Load balancer');
    dashboardGroup.addIngressRule(group, ec2.Port.tcp(DASHBOARD_PORT), 'the page');
    dashboardGroup.addIngressRule(group, ec2.Port.tcp(HEALTH_PORT), 'its readiness');
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-EC23',
      reason: 'The page of sign-in is for people anywhere; everything behind it is let in from this group alone.',
    });
    this.balancer = new balancing.ApplicationLoadBalancer(this, 'Balancer', {
      vpc: network.vpc,
      internetFacing: true,
      securityGroup: group,
      deletionProtection: true,
      dropInvalidHeaderFields: true,
      idleTimeout: Duration.seconds(IDLE_S),
    });
    this.balancer.logAccessLogs(this.#logBucket());
    this.targets = new balancing.ApplicationTargetGroup(this, 'Page', {
      vpc: network.vpc,
      port: DASHBOARD_PORT,
      protocol: balancing.ApplicationProtocol.HTTP,
      targets: [dashboard.loadBalancerTarget({ containerName: 'dashboard', containerPort: DASHBOARD_PORT })],
      healthCheck: { path: HEALTH_PATHS.ready, port: String(HEALTH_PORT), interval: Duration.seconds(15) },
      deregistrationDelay: Duration.seconds(15),
    });
    this.balancer.addListener('Https', {
      port: HTTPS_PORT,
      protocol: balancing.ApplicationProtocol.HTTPS,
      certificates: [certificates.Certificate.fromCertificateArn(this, 'Certificate', settings.certificateArn)],
      sslPolicy: balancing.SslPolicy.TLS13_RES,
      defaultAction: this.#signIn(settings),
    });
  }

  #signIn({ domainName, signInPrefix }: DeploymentSettings): actions.AuthenticateCognitoAction {
    const userPool = new cognito.UserPool(this, 'People', {
      // Who may look is decided by the operator.
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      mfa: cognito.Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      featurePlan: cognito.FeaturePlan.PLUS,
      standardThreatProtectionMode: cognito.StandardThreatProtectionMode.FULL_FUNCTION,
      passwordPolicy: {
        minLength: PASSWORD_CHARACTERS_MIN,
        ...{ requireDigits: true, requireLowercase: true, requireUppercase: true, requireSymbols: true },
      },
      accountRecovery: cognito.AccountRecovery.EMAIL_ONLY,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const userPoolDomain = userPool.addDomain('SignIn', { cognitoDomain: { domainPrefix: signInPrefix } });
    const userPoolClient = userPool.addClient('Balancer', {
      generateSecret: true,
      preventUserExistenceErrors: true,
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [cognito.OAuthScope.OPENID],
        callbackUrls: [`https://${domainName}/oauth2/idpresponse`],
      },
    });
    return new actions.AuthenticateCognitoAction({
      ...{ userPool, userPoolClient, userPoolDomain },
      sessionTimeout: Duration.hours(SESSION_HOURS),
      next: balancing.ListenerAction.forward([this.targets]),
    });
  }

  #logBucket(): s3.Bucket {
    const bucket = new s3.Bucket(this, 'AccessLog', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      // What a load balancer writes can be encrypted with S3's own keys only.
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(LOG_DAYS) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(bucket).acknowledge({ id: 'AwsSolutions-S1', reason: 'It is the bucket of access logs itself.' });
    return bucket;
  }
}
