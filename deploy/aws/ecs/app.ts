/**
 * The CDK app. Offline: node deploy/aws/ecs/app.ts, or `npx cdk synth` in deploy/aws. Settings: cdk.json and --context.
 */
import { App } from 'aws-cdk-lib';
import { tapeproofOn } from './tapeproof.ts';
import { parseSettings, SETTING_NAMES } from './settings.ts';

const app = new App();
try {
  const context = Object.fromEntries(SETTING_NAMES.map((name) => [name, app.node.tryGetContext(name) as unknown]));
  tapeproofOn(app, parseSettings(context));
  app.synth();
} catch (error) {
  // What the checks found was printed before.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
