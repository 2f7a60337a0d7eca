import { z } from 'zod';
import { count, eventId, instrumentName, limitText, price, timeUs, timeUsText } from './values.ts';

export const SERIES_POINTS_MAX = 2_000;
export const SERIES_POINTS_DEFAULT = 600;
/** Length of a series whose beginning is not given: one day. */
export const SERIES_SPAN_DEFAULT_US = 86_400_000_000;
/** Rows of a profile at most: neighbouring bins are added up beyond it. */
export const PROFILE_ROWS_MAX = 200;

export const seriesQuery = z.strictObject({
  fromUs: timeUsText.optional().describe('first time; without it the first snapshot of the day before toUs'),
  toUs: timeUsText.optional().describe('end, exclusive; without it just after the latest snapshot'),
  limit: limitText(SERIES_POINTS_MAX, SERIES_POINTS_DEFAULT),
});

/** One snapshot: the indicators at one trade. */
export const seriesPoint = z
  .strictObject({
    snapshotId: eventId,
    timeUs,
    price: price.describe('of the trade that caused it'),
    vwap: z.number().describe('volume-weighted average price of the session, quote currency'),
    vwapDeviation: z.number().min(0).describe("standard deviation of the session's prices about the VWAP"),
    pointOfControl: price.describe("lower edge of the price bin with the session's greatest volume"),
    valueAreaLow: price.describe('lower edge of the lowest bin of the value area'),
    valueAreaHigh: price.describe('lower edge of the highest bin of the value area'),
    rangeHigh: price.nullable().describe('highest price of the completed bars; null until there are enough'),
    rangeLow: price.nullable().describe('lowest price of the completed bars; null until there are enough'),
    barVolume: z.number().min(0).describe('volume of the current bar so far, base currency'),
    sessionVolume: z.number().min(0).describe('volume of the session so far, base currency'),
    tradeCount: count.describe('trades of the session so far'),
  })
  .meta({ id: 'SeriesPoint', description: 'the indicators at one snapshot' });

export const seriesResponse = z
  .strictObject({
    instrument: instrumentName,
    fromUs: timeUs.nullable().describe('null where there is no snapshot and no time was given'),
    toUs: timeUs.nullable().describe('exclusive'),
    rule: z.string().describe('how the points were chosen, for people'),
    spanUs: count.describe('length of one span: each has at most one point'),
    points: z.array(seriesPoint).max(SERIES_POINTS_MAX).describe('oldest first'),
  })
  .meta({ id: 'Series' });

export const profileRow = z
  .strictObject({
    low: price.describe('lower edge'),
    high: price.describe('upper edge, exclusive'),
    volume: z.number().min(0).describe('volume traded there, base currency'),
    isInValueArea: z.boolean(),
    isPointOfControl: z.boolean(),
  })
  .meta({ id: 'ProfileRow' });

/** The volume profile at the latest snapshot, added up from the trades behind it on the tape. */
export const profileResponse = z
  .strictObject({
    instrument: instrumentName,
    snapshotId: eventId,
    timeUs: timeUs.describe('of the snapshot'),
    pointOfControl: price,
    valueAreaLow: price,
    valueAreaHigh: price.describe('lower edge of the highest bin of the value area'),
    binSize: price.nullable().describe('height of the bins of the indicator; null before engine version 3'),
    binsPerRow: count.describe('bins that were added up into one row'),
    sessionVolume: z.number().min(0),
    tradeCount: count,
    rows: z.array(profileRow).max(PROFILE_ROWS_MAX).nullable().describe('lowest price first; null: see withheld'),
    withheld: z.string().nullable().describe('why there are no rows, in a sentence'),
  })
  .meta({ id: 'Profile' });

export type SeriesPoint = z.infer<typeof seriesPoint>;
export type SeriesResponse = z.infer<typeof seriesResponse>;
export type ProfileRow = z.infer<typeof profileRow>;
export type ProfileResponse = z.infer<typeof profileResponse>;
