/**
 * The meaning of each key of the engine's configuration, by its place; `*` stands for any strategy, and `[]` for each
 * member of a list. docs/configuration.md is made from it and from the schema, which has the types, bounds and defaults.
 */
export const CONFIGURATION_MEANINGS: Readonly<Record<string, string>> = {
  anchorIntervalRecords:
    "Records of the tape, in each partition, from one anchor to the next. At an anchor the engine's state and the Merkle roots are written: fewer records mean faster recoveries and audits, and more to store.",
  cadenceMs:
    'Length of an interval, milliseconds. The first trade of an instrument in each interval makes a snapshot and the decision on it; with 0 every trade does.',
  'clock.maxStepMs':
    "The furthest that one trade may move its instrument's clock, milliseconds. A trade that is stamped later waits: a single wrong stamp must not end a session.",
  'clock.confirmingTrades': 'Waiting trades that prove that time has advanced, if no trade on time came between them.',
  suspiciousPrints:
    'What is done with prints that their own source doubts: `SET_ASIDE` keeps them out of the sums, `COUNT` counts them.',
  'session.anchorMs':
    'Sessions of equal length: a time at which one begins, milliseconds since 1970 UTC. VWAP and volume profile start again with each session.',
  'session.lengthMs': 'Sessions of equal length: how long one is, milliseconds.',
  'session.timeZone':
    "Trading hours: name of the zone of the exchange's clock in the IANA database, such as `America/New_York`. It needs `open` and `close`.",
  'session.open':
    'Trading hours: opening time, `HH:MM`. If it is not before `close`, a session opens on the day before the one that it belongs to.',
  'session.close': 'Trading hours: closing time, `HH:MM`, up to `24:00`.',
  'session.weekdays': 'Trading hours: the weekdays that have a session; Monday to Friday where it is left out.',
  'session.daysOff': 'Trading hours: dates without a session, `YYYY-MM-DD`.',
  'session.halfDays':
    'Trading hours: dates on which it closes early, `YYYY-MM-DD`, each with its closing time, `HH:MM`.',
  timeZones:
    'The offsets of the zones that sessions name. Leave it out: it is added when the configuration is put in force, so that a replay asks no time-zone database.',
  'timeZones.<zone>.dataVersion': 'Version of the IANA database that the offsets were taken from.',
  'timeZones.<zone>.offsets': 'Pairs of a second since 1970 UTC and the offset from then on, seconds east of UTC.',
  'volumeProfile.valueAreaShare': "Share of the session's volume that the value area holds.",
  'volumeProfile.valueAreaRule':
    'How the value area grows from the point of control: by the larger of the two neighbouring rows (`ONE_ROW`), or of the next two rows on each side (`TWO_ROW`).',
  'range.barMs': 'Length of a bar, milliseconds.',
  'range.bars': 'Completed bars that the range, its volumes and its first price are taken from.',
  'strategies.*.enabled':
    'Whether the strategy forecasts. Those that joined later are off where the configuration does not name them, and on where it does.',
  'strategies.*.weight': 'Weight w of the strategy in the decision: L = sharpness · Σ w·c·s / Σ w·c.',
  'strategies.*.parameters.baseEvidence': 'Evidence of the weakest signal, log odds.',
  'strategies.*.parameters.slope': 'Evidence that is added for each unit that the signal is stronger, log odds.',
  'strategies.*.parameters.volumeFactor':
    "The bar's volume must be this many times the mean of the range's bars to confirm a signal.",
  'strategies.VWAP_REVERSION.parameters.entryDeviations':
    'Distance from VWAP at which the signal begins, in standard deviations.',
  'strategies.VWAP_REVERSION.parameters.maxDeviations':
    'Distance beyond which the signal does not grow, in standard deviations.',
  'strategies.VOLUME_MOMENTUM.parameters.entryMomentum':
    'Move of the bars, as a share of their range, at which the signal begins.',
  'strategies.VALUE_AREA_REJECTION.parameters.maxReturn':
    'How far the price may have returned into the value area, as a share of its height.',
  'strategies.POINT_OF_CONTROL_MAGNET.parameters.entryDistance':
    "Distance from the point of control at which the signal begins, as a share of the way to the value area's edge.",
  'strategies.ORDER_FLOW_IMBALANCE.parameters.minKnownShare': "Share of the volume whose taker's side must be known.",
  'strategies.ORDER_FLOW_IMBALANCE.parameters.entryImbalance':
    'Imbalance of the takers, (bought − sold) / (bought + sold), at which the signal begins.',
  'strategies.NEWS_SENTIMENT.parameters.halfLifeSeconds':
    'Age at which news counts half, seconds of market time since its validity began.',
  'strategies.NEWS_SENTIMENT.parameters.entrySentiment': 'Mean sentiment, 0 to 1, at which the signal begins.',
  'strategies.NEWS_SENTIMENT.parameters.quietImportance':
    'Confidence from which on an event of the calendar that is in force silences the news.',
  'strategies.SECTOR_ROTATION.parameters.entryStrength':
    "Relative strength of the instrument's sector, 0 to 1, at which the signal begins.",
  'confidence.halfSampleTrades':
    "Trades of the session at which confidence reaches half of the signal's quality: c = quality · n / (n + this).",
  'confidence.mediumFrom': 'Confidence from which on it is called `MEDIUM`.',
  'confidence.highFrom': 'Confidence from which on it is called `HIGH`; not below `mediumFrom`.',
  'pooling.epsilon': 'Probabilities are kept within [epsilon, 1 − epsilon].',
  'pooling.sharpness': 'Factor of the pooled evidence.',
  'pooling.minEvidence': 'Pooled evidence below which a decision is NEUTRAL, log odds.',
  'pooling.weights':
    "Whether a strategy's evidence is scaled by the slope that its outcomes gave it (`SLOPES`) or taken as it is (`EQUAL`).",
  'reference.priorTieRate': 'Share of forecasts that end in a tie, before there are outcomes: p0 = (1 − tie rate) / 2.',
  'reference.priorWeight': 'Outcomes that `priorTieRate` counts as.',
  'reference.halfLife': 'Outcomes after which an earlier one counts half; with 0 its weight stays.',
  'calibration.publish':
    'The probability that is published: `RAW` (the evidence taken literally), `CALIBRATED`, or `AGGREGATED` (these two and p0, weighted by their losses).',
  'calibration.priorSlope': 'Slope β before there are outcomes.',
  'calibration.priorPrecision': 'Precision (1 / variance) of the prior of the slope.',
  'calibration.interceptPrecision': 'Precision (1 / variance) of the prior of the intercept, whose mean is 0.',
  'calibration.learningRate': 'How fast the aggregation moves towards the probability with the smaller loss.',
  'hitRules[].kind':
    '`MOVE`: the price at the horizon decides. `FIRST_TOUCH`: the first of two barriers to be reached, `minMoveBps` above and below the reference price.',
  'hitRules[].horizonMs': 'Market time from the forecast to its resolution, milliseconds.',
  'hitRules[].minMoveBps':
    "Move in the forecast's direction that must be exceeded, basis points of the reference price; a tie is a MISS.",
  'hitRules[].graceMs':
    'How long after the horizon the first trade may come, milliseconds; a forecast whose first trade comes later is VOID.',
  'instruments.<instrument>.binSize':
    "Height of a row of the volume profile, in the quote currency, a decimal number in quotes. By default each session's first price decides: its power of ten, divided by 10,000.",
  'instruments.<instrument>.session': "A session of the instrument's own, with the keys of `session`.",
  'instruments.<instrument>.negativePrices':
    'Whether prices of 0 and below are valid, as for some futures. Where they are not, they are refused, and after one below 0 nothing is decided until the session ends.',
  'instruments.<instrument>.minMovePoints':
    'The move of the hit rules in the quote currency, a decimal number in quotes, instead of `minMoveBps`.',
};
