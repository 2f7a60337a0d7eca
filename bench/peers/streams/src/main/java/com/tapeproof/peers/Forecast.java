package com.tapeproof.peers;

import com.tapeproof.events.ConfidenceLevel;
import com.tapeproof.events.Direction;
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
