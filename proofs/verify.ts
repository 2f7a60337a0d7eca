import type { Chain } from './audit.ts';
import type { Check } from './audit-checks.ts';
export interface VerifyPorts {
  readonly reader: unknown;
  readonly registry: unknown;
}
export function verify(_chain: Chain, _ports: VerifyPorts): Promise<Check> {
  throw new Error('wip');
}
