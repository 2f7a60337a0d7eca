package com.tapeproof.peers;

import com.tapeproof.events.Direction;
import java.util.Map;

/** A strategy's opinion on one snapshot: the engine adds identity, confidence and hit rule. */
record Opinion(Direction direction, double probability, double quality, Map<String, Double> indicators) {
  static Opinion neutral(double quality, Map<String, Double> indicators) {
    return new Opinion(Direction.NEUTRAL, 0.5, quality, indicators);
  }
}
