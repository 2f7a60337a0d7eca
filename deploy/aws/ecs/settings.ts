import { z } from 'zod';

/** How large a deployment is: the first for a trial, the second for a team, the third for a whole market. */
export const SIZES = {
  small: {
    brokerType: 'kafka.m7g.large',
    brokerStorageGib: 100,
    auroraAcuMax: 4,
    redisType: 'cache.t4g.small',
    enginesMax: 3,
  },
  medium: {
    brokerType: 'kafka.m7g.large',
    brokerStorageGib: 1_000,
    auroraAcuMax: 16,
    redisType: 'cache.m7g.large',
    enginesMax: 6,
  },
  large: {
    brokerType: 'kafka.m7g.2xlarge',
    brokerStorageGib: 4_000,
    auroraAcuMax: 64,
    redisType: 'cache.r7g.large',
    enginesMax: 6,
  },
} as const;
export type Size = keyof typeof SIZES;
export const AURORA_ACU_MIN = 0.5;

const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?$/;

const settingsShape = z.strictObject({
  /** With three zones or more. */
  region: z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/),
  size: z.enum(['small', 'medium', 'large']),
  /** Of the page; its DNS record is yours. */
  domainName: z.string().regex(NAME),
  certificateArn: z.string().regex(/^arn:aws[a-z-]*:acm:/),
  /** Globally unique: the address of the page for signing in. */
  signInPrefix: z.string().regex(/^[a-z0-9-]{1,63}$/),
  /** With its digest or an exact tag. */
  image: z.string().regex(/[:@][\w.:-]+$/),
  alarmEmail: z.email(),
  monthlyBudgetUsd: z.coerce.number().positive(),
});

export const SETTING_NAMES = Object.keys(settingsShape.shape);
export type DeploymentSettings = z.infer<typeof settingsShape>;

/** @throws Error with a sentence that names each setting that is missing or wrong. */
export function parseSettings(context: Readonly<Record<string, unknown>>): DeploymentSettings {
  const parsed = settingsShape.safeParse(Object.fromEntries(SETTING_NAMES.map((name) => [name, context[name]])));
  if (parsed.success) return parsed.data;
  const names = [...new Set(parsed.error.issues.map(({ path }) => String(path[0])))];
  throw new Error(`Missing or wrong: ${names.join(', ')}. Give each with --context NAME=VALUE, or in cdk.json.`);
}
