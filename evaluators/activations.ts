import { sha256Hex } from '../contracts/codec.ts';
import type { EngineActivated } from '../contracts/generated/events.ts';
import { termsOf, type ActivationTerms } from './activation-terms.ts';
import { parseConfiguration } from './configuration.ts';
import { isForeign } from './foreign-activation.ts';
import { compileRules, type EngineRules } from './rules.ts';
import type { Strategy } from './strategies/strategy.ts';

/** Activations remembered, so that a repeated one has no effect. */
const ACTIVATION_IDS_MAX = 64;

/** The effect of an activation: none, another engine has to continue, it is refused, or these rules come into force. */
export type ActivationEffect = 'REPEATED' | 'FOREIGN' | { readonly fault: string } | { readonly rules: EngineRules };

/** The activations on one partition of the tape: which is in force, and with which rules. */
export class Activations {
  private readonly known: readonly Strategy[];
  private remembered: readonly string[];
  private terms: ActivationTerms | undefined;
  private isOther = false;
  private acceptedSchemas: ReadonlySet<string> = new Set();

  /** @param known - the strategies that activations may name. */
  constructor(known: readonly Strategy[], ids: readonly string[] = []) {
    this.known = known;
    this.remembered = ids;
  }

  /** Ids of the last ones, in their order. */
  get ids(): readonly string[] {
    return this.remembered;
  }

  /** The one in force; undefined before the first. */
  get inForce(): ActivationTerms | undefined {
    return this.terms;
  }

  /** True while another engine version is in force, which has to continue. */
  get isForeignInForce(): boolean {
    return this.isOther;
  }

  /** Whether records of the tape with this schema's fingerprint have an effect. */
  accepts(fingerprint: string): boolean {
    return this.acceptedSchemas.has(fingerprint);
  }

  /** Decides the effect of the next activation on the tape; changes nothing. */
  judge(activation: EngineActivated): ActivationEffect {
    if (this.remembered.includes(activation.activationId)) return 'REPEATED';
    const { tapeId } = this.terms ?? activation;
    if (tapeId !== activation.tapeId) {
      return { fault: `the activation names the tape ${activation.tapeId}, and this is ${tapeId}` };
    }
    if (sha256Hex(activation.configuration) !== activation.configHash) {
      return { fault: 'the activation names another hash than that of its configuration' };
    }
    if (isForeign(activation)) return 'FOREIGN';
    try {
      return { rules: this.rulesOf(activation) };
    } catch (error) {
      return { fault: `the activation's configuration is wrong: ${(error as Error).message}` };
    }
  }

  /** Puts one in force. */
  adopt(activation: EngineActivated): void {
    this.enforce(termsOf(activation));
    this.remember(activation.activationId);
  }

  /** Puts the one of a restored state in force. @returns its rules. */
  restore(terms: ActivationTerms): EngineRules {
    this.enforce(terms);
    return this.rulesOf(terms);
  }

  /** A repetition of this one has no effect. */
  remember(id: string): void {
    this.remembered = [...this.remembered, id].slice(-ACTIVATION_IDS_MAX);
  }

  private enforce(terms: ActivationTerms): void {
    this.terms = terms;
    this.isOther = isForeign(terms);
    this.acceptedSchemas = new Set(terms.acceptedTapeSchemas);
  }

  private rulesOf({ configuration }: ActivationTerms): EngineRules {
    return compileRules(parseConfiguration(JSON.parse(configuration), this.known), this.known);
  }
}
