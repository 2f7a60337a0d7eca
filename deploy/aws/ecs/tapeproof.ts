import { Validations, type App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { DeploymentSettings } from './settings.ts';
import { TapeproofStack } from './stack.ts';

/** The stack in an app, held to the rules of AWS Solutions. */
export function tapeproofOn(app: App, settings: DeploymentSettings): TapeproofStack {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = new TapeproofStack(app, 'Tapeproof', settings, { env: { region: settings.region } });
  return stack;
}
