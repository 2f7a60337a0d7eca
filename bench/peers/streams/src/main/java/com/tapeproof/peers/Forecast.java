package com.tapeproof.peers;

import com.tapeproof.events.Calibration;
import com.tapeproof.events.ConfidenceLevel;
import com.tapeproof.events.Direction;
import com.tapeproof.events.ProbabilityDecision;
import com.tapeproof.events.StrategyResult;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** A LONG or SHORT forecast that awaits its outcome. */
record Forecast(
    String id,
    /* Index of the strategy; Strategies.DECISION for a decision. */
    int series,
    Direction direction,
    double probability,
    ConfidenceLevel level,
    double evidence,
    double rawProbability,
    double calibratedProbability) {

  static Forecast of(StrategyResult result, int series) {
    Calibration said = result.getCalibration();
    return new Forecast(
        result.getEventId(),
        series,
        result.getDirection(),
        result.getProbability(),
        result.getLevel(),
        said.getEvidence(),
        said.getRawProbability(),
        said.getCalibratedProbability());
  }

  static Forecast of(ProbabilityDecision decision) {
    Calibration said = decision.getCalibration();
    return new Forecast(
        decision.getEventId(),
        Strategies.DECISION,
        decision.getDirection(),
        decision.getProbability(),
        decision.getLevel(),
        said.getEvidence(),
        said.getRawProbability(),
        said.getCalibratedProbability());
  }

  void write(DataOutput out) throws IOException {
    out.writeUTF(id);
    out.writeByte(series);
    out.writeByte(direction.ordinal());
    out.writeDouble(probability);
    out.writeByte(level.ordinal());
    out.writeDouble(evidence);
    out.writeDouble(rawProbability);
    out.writeDouble(calibratedProbability);
  }

  static Forecast read(DataInput in) throws IOException {
    return new Forecast(
        in.readUTF(),
        in.readByte(),
        Direction.values()[in.readByte()],
        in.readDouble(),
        ConfidenceLevel.values()[in.readByte()],
        in.readDouble(),
        in.readDouble(),
        in.readDouble());
  }
}
