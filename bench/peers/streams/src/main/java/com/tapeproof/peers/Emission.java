package com.tapeproof.peers;

import com.tapeproof.events.Contribution;
import com.tapeproof.events.Direction;
import com.tapeproof.events.ForecastKind;
import com.tapeproof.events.HitRule;
import com.tapeproof.events.HitRuleKind;
import com.tapeproof.events.IndicatorSnapshot;
import com.tapeproof.events.Outcome;
import com.tapeproof.events.ProbabilityDecision;
import com.tapeproof.events.StrategyResult;
import com.tapeproof.events.TapePosition;
import com.tapeproof.events.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** Builds and forwards the events that one tape record leads to, in order. */
final class Emission {
  private static final double MIN_MOVE_BPS = 0;
  private static final String MADE_WHERE_IT_IS_READ = "";

  private final EventWriter<IndicatorSnapshot> snapshots = new EventWriter<>(IndicatorSnapshot.class);
  private final EventWriter<StrategyResult> results = new EventWriter<>(StrategyResult.class);
  private final EventWriter<ProbabilityDecision> decisions = new EventWriter<>(ProbabilityDecision.class);
  private final EventWriter<Outcome> outcomes = new EventWriter<>(Outcome.class);
  private final ProcessorContext<String, byte[]> context;
  /** Number of the next event of each output. */
  private final long[] sequences;
  /** Events of each output that the record has led to. */
  private final int[] numbers = new int[Output.values().length];

  private TapePosition tape;
  private String place;
  private Instrument instrument;
  private Tick tick;
  private long causeOffset;
  private String cause;

  Emission(ProcessorContext<String, byte[]> context, long[] sequences) {
    this.context = context;
    this.sequences = sequences;
  }

  /** The following events have this record's place. */
  void begin(int partition, long offset) {
    tape = new TapePosition(partition, offset);
    place = partition + "-" + offset + "-";
    Arrays.fill(numbers, 0);
  }

  /** The following events are caused by this trade, which is of an earlier record if it had to wait. */
  void causedBy(Instrument instrument, Tick tick, long offset) {
    this.instrument = instrument;
    this.tick = tick;
    causeOffset = offset;
    cause = "trade-" + tape.getPartition() + "-" + offset + "-0";
  }

  /** The outcomes of a point's forecasts, from which the calibration learns. */
  void outcomes(Outcomes.Point point) {
    Outcomes.Course course = Outcomes.courseOf(point, tick.time(), tick.price());
    boolean isVoid = course == Outcomes.Course.VOID;
    if (!isVoid) instrument.reference.learn(course == Outcomes.Course.NONE, point.forecastTime);
    for (Forecast forecast : point.forecasts) {
      boolean isHit = course == (forecast.direction() == Direction.LONG ? Outcomes.Course.UP : Outcomes.Course.DOWN);
      Double overlap = isVoid ? null : learn(point, forecast, isHit);
      send(Output.OUTCOMES, outcomes, outcomeOf(point, forecast, isVoid, isHit, overlap));
    }
  }

  private double learn(Outcomes.Point point, Forecast forecast, boolean isHit) {
    double rate = point.referenceRate;
    double logOdds = instrument.reference.logOddsOf(rate);
    ForecastSeries series = instrument.seriesOf(forecast.series());
    return series.learn(forecast, rate, logOdds, isHit, point.forecastTime, tape.getOffset());
  }

  private Outcome outcomeOf(Outcomes.Point point, Forecast forecast, boolean isVoid, boolean isHit, Double overlap) {
    boolean isDecision = forecast.series() == Strategies.DECISION;
    Outcome event = new Outcome();
    event.setEventId(nextId(Output.OUTCOMES, "outcome-"));
    event.setInstrument(instrument.name);
    event.setEventTime(tick.time());
    event.setTape(tape);
    event.setSequence(sequences[Output.OUTCOMES.ordinal()]);
    event.setCauses(List.of(forecast.id(), cause));
    event.setEngineVersion(Settings.ENGINE_VERSION);
    event.setConfigHash(Settings.CONFIG_HASH);
    event.setForecastId(forecast.id());
    event.setForecastKind(isDecision ? ForecastKind.DECISION : ForecastKind.STRATEGY);
    event.setStrategy(isDecision ? null : Strategies.ENABLED.get(forecast.series()).name());
    event.setDirection(forecast.direction());
    event.setProbability(forecast.probability());
    event.setVerdict(isVoid ? Verdict.VOID : isHit ? Verdict.HIT : Verdict.MISS);
    event.setForecastTime(point.forecastTime);
    event.setDueTime(point.dueTime());
    event.setReferencePrice(Decimals.bytesOf(point.referencePrice));
    if (!isVoid) {
      event.setObservedPrice(Decimals.bytesOf(tick.price()));
      event.setObservedTime(tick.time());
      event.setMoveBps(Decimals.moveBps(point.referencePrice, tick.price()));
      event.setMovePoints(Decimals.bytesOf(tick.price() - point.referencePrice));
      event.setResolvingTradeId(tick.tradeId());
    }
    event.setHitRuleKind(HitRuleKind.MOVE);
    event.setMinMoveBps(MIN_MOVE_BPS);
    event.setLevel(forecast.level());
    event.setReferenceRate(point.referenceRate);
    event.setRawProbability(forecast.rawProbability());
    event.setCalibratedProbability(forecast.calibratedProbability());
    event.setOverlapWeight(overlap);
    return event;
  }

  /** A snapshot, each strategy's forecast and the decision pooled from them; then they await their outcome. */
  void decide() {
    Measured measured = instrument.measure(tick);
    IndicatorSnapshot snapshot = snapshotOf(measured);
    send(Output.SNAPSHOTS, snapshots, snapshot);
    HitRule rule =
        new HitRule(
            Outcomes.HORIZON_MS, MIN_MOVE_BPS, snapshot.getLastPrice(), null, HitRuleKind.MOVE, Outcomes.GRACE_MS);
    StrategyResult[] said = new StrategyResult[Strategies.ENABLED.size()];
    List<Forecast> pending = new ArrayList<>(said.length + 1);
    for (int index = 0; index < said.length; index++) {
      StrategyResult result = resultOf(index, measured, snapshot.getEventId(), rule);
      send(Output.RESULTS, results, result);
      said[index] = result;
      if (result.getDirection() != Direction.NEUTRAL) pending.add(Forecast.of(result, index));
    }
    ProbabilityDecision decision = decisionOf(said, rule);
    send(Output.DECISIONS, decisions, decision);
    if (decision.getDirection() != Direction.NEUTRAL) pending.add(Forecast.of(decision));
    instrument.outcomes.register(tick.time(), tick.price(), instrument.reference.rate(), pending);
  }

  private IndicatorSnapshot snapshotOf(Measured measured) {
    IndicatorSnapshot event = new IndicatorSnapshot();
    event.setEventId(nextId(Output.SNAPSHOTS, "snapshot-"));
    event.setInstrument(instrument.name);
    event.setEventTime(tick.time());
    event.setTape(tape);
    event.setSequence(sequences[Output.SNAPSHOTS.ordinal()]);
    event.setCauses(List.of(cause));
    event.setEngineVersion(Settings.ENGINE_VERSION);
    event.setConfigHash(Settings.CONFIG_HASH);
    event.setLastPrice(Decimals.bytesOf(measured.lastPrice()));
    event.setVwap(measured.session().average());
    event.setVwapDeviation(measured.session().deviation());
    event.setPointOfControl(Decimals.bytesOf(measured.area().pointOfControl()));
    event.setValueAreaLow(Decimals.bytesOf(measured.area().low()));
    event.setValueAreaHigh(Decimals.bytesOf(measured.area().high()));
    event.setProfileBinSize(Decimals.bytesOf(measured.area().binSize()));
    event.setBarVolume(measured.barVolume());
    event.setSessionVolume(measured.session().volume());
    event.setTradeCount(measured.tradeCount());
    event.setFirstOffset(instrument.firstOffset(causeOffset));
    event.setLastOffset(causeOffset);
    Range.Bounds bounds = measured.bounds();
    if (bounds != null) {
      Range range = instrument.range();
      long volume = bounds.volume() + range.currentVolume();
      long bought = bounds.bought() + range.currentBought();
      long sold = bounds.sold() + range.currentSold();
      event.setRangeHigh(Decimals.bytesOf(bounds.high()));
      event.setRangeLow(Decimals.bytesOf(bounds.low()));
      event.setMeanBarVolume(bounds.meanVolume());
      event.setRangeFirstPrice(Decimals.bytesOf(bounds.first()));
      event.setTakerBuyVolume(Decimals.toDouble(bought));
      event.setTakerSellVolume(Decimals.toDouble(sold));
      event.setTakerUnknownVolume(Decimals.toDouble(volume - bought - sold));
    }
    return event;
  }

  private StrategyResult resultOf(int index, Measured measured, String snapshotId, HitRule rule) {
    Strategies.Strategy strategy = Strategies.ENABLED.get(index);
    Opinion opinion = strategy.evaluate().apply(measured);
    double confidence = Pooling.confidenceOf(opinion.quality(), measured.tradeCount());
    double evidence = Pooling.evidenceOf(opinion);
    ForecastSeries.Published published = instrument.seriesOf(index).publish(instrument.reference, evidence, evidence);
    StrategyResult event = new StrategyResult();
    event.setEventId(nextId(Output.RESULTS, "result-"));
    event.setInstrument(instrument.name);
    event.setEventTime(tick.time());
    event.setTape(tape);
    event.setSequence(sequences[Output.RESULTS.ordinal()]);
    event.setCauses(List.of(snapshotId));
    event.setEngineVersion(Settings.ENGINE_VERSION);
    event.setConfigHash(Settings.CONFIG_HASH);
    event.setStrategy(strategy.name());
    event.setDirection(opinion.direction());
    event.setProbability(published.probability());
    event.setConfidence(confidence);
    event.setLevel(Pooling.levelOf(confidence));
    event.setIndicators(opinion.indicators());
    event.setReasoning(MADE_WHERE_IT_IS_READ);
    event.setHitRule(rule);
    event.setCalibration(published.calibration());
    return event;
  }

  private ProbabilityDecision decisionOf(StrategyResult[] said, HitRule rule) {
    Pooling.Pooled pooled = Pooling.pool(said);
    ForecastSeries series = instrument.seriesOf(Strategies.DECISION);
    ForecastSeries.Published published = series.publish(instrument.reference, pooled.evidence(), pooled.rawEvidence());
    List<String> causes = new ArrayList<>(said.length);
    List<Contribution> contributions = new ArrayList<>(said.length);
    for (StrategyResult result : said) {
      causes.add(result.getEventId());
      contributions.add(
          new Contribution(
              result.getStrategy(),
              result.getEventId(),
              result.getDirection(),
              result.getProbability(),
              result.getConfidence(),
              Pooling.WEIGHT,
              Pooling.signedEvidence(result)));
    }
    ProbabilityDecision event = new ProbabilityDecision();
    event.setEventId(nextId(Output.DECISIONS, "decision-"));
    event.setInstrument(instrument.name);
    event.setEventTime(tick.time());
    event.setTape(tape);
    event.setSequence(sequences[Output.DECISIONS.ordinal()]);
    event.setCauses(causes);
    event.setEngineVersion(Settings.ENGINE_VERSION);
    event.setConfigHash(Settings.CONFIG_HASH);
    event.setDirection(pooled.direction());
    event.setProbability(published.probability());
    event.setConfidence(pooled.confidence());
    event.setLevel(Pooling.levelOf(pooled.confidence()));
    event.setContributions(contributions);
    event.setReasoning(MADE_WHERE_IT_IS_READ);
    event.setHitRule(rule);
    event.setCalibration(published.calibration());
    return event;
  }

  /** The identity of the next event of an output, which is then to be sent. */
  private String nextId(Output output, String kind) {
    return kind + place + numbers[output.ordinal()]++;
  }

  private <T extends SpecificRecordBase> void send(Output output, EventWriter<T> writer, T event) {
    sequences[output.ordinal()]++;
    context.forward(new Record<>(instrument.name, writer.write(event), tick.time() / 1_000), output.name());
  }
}
