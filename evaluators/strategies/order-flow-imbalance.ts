import { z } from 'zod';
import { clamp, sigmoid } from '../arithmetic.ts';
import { defineStrategy, neutral } from './strategy.ts';

/** There is data, but no signal. */
const QUALITY_IN_BALANCE = 0.5;

/**
 * Forecasts that the price follows the takers: up when they bought more than they sold, down when less.
 *
 * `i = (B − S) / (B + S)` of the range's completed bars and the current one, B and S the volumes whose taker is known to
 * have bought and sold: −1 to 1. LONG for i above 0 and SHORT below, from `entryImbalance` on, with
 * `p = σ(baseEvidence + slope · (|i| − entryImbalance))`, in log odds. NEUTRAL nearer to 0, and when the taker's side
 * is known for less than `minKnownShare` of the volume: the engine never guesses. Quality: that share.
 *
 * Chordia & Subrahmanyam 2004, "Order imbalance and individual stock returns", doi 10.1016/S0304-405X(03)00175-2; for
 * seconds and the order book, too: Cont, Kukanov & Stoikov 2014, doi 10.1093/jjfinec/nbt003, who find that trades alone
 * are less informative.
 */
export const orderFlowImbalance = defineStrategy({
  name: 'ORDER_FLOW_IMBALANCE',
  isEnabledUnlessNamed: false,
  parameters: z.strictObject({
    minKnownShare: z.number().min(0).max(1).default(0.9),
    entryImbalance: z.number().min(0).max(1).default(0.2),
    baseEvidence: z.number().min(0).max(2).default(0.02),
    slope: z.number().min(0).max(2).default(0.1),
  }),
  evaluate(snapshot, { minKnownShare, entryImbalance, baseEvidence, slope }) {
    const { takerBuyVolume, takerSellVolume, takerUnknownVolume } = snapshot;
    if (takerBuyVolume === null || takerSellVolume === null || takerUnknownVolume === null) {
      return neutral(0, { barVolume: snapshot.barVolume }, () => 'too few bars are completed for an order flow');
    }
    const volumes = { takerBuyVolume, takerSellVolume, takerUnknownVolume };
    const known = takerBuyVolume + takerSellVolume;
    const total = known + Math.max(takerUnknownVolume, 0);
    if (known <= 0) return neutral(0, volumes, () => "the taker's side is known of no trade in these bars");
    const knownShare = known / total;
    if (knownShare < minKnownShare) {
      return neutral(
        0,
        { ...volumes, knownShare },
        () => `the taker's side is known of ${knownShare.toFixed(6)} of the volume: less than ${minKnownShare}`,
      );
    }
    const imbalance = (takerBuyVolume - takerSellVolume) / known;
    const strength = Math.abs(imbalance);
    const indicators = { ...volumes, knownShare, imbalance };
    const flow = () =>
      `takers bought ${takerBuyVolume.toFixed(6)} and sold ${takerSellVolume.toFixed(6)}, imbalance ${imbalance.toFixed(6)}`;
    if (strength < entryImbalance || imbalance === 0) {
      return neutral(QUALITY_IN_BALANCE, indicators, () => `${flow()}: less than ${entryImbalance}`);
    }
    const evidence = baseEvidence + slope * (strength - entryImbalance);
    return {
      direction: imbalance > 0 ? 'LONG' : 'SHORT',
      probability: clamp(sigmoid(evidence), 0.5, 1),
      quality: knownShare,
      indicators,
      reasoning: () =>
        `${flow()}: p = σ(${baseEvidence} + ${slope}·(|i| − ${entryImbalance})) = σ(${evidence.toFixed(6)})`,
    };
  },
});
