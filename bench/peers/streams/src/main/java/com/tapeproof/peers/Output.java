package com.tapeproof.peers;

/** The topics of derived events. */
enum Output {
  SNAPSHOTS("indicator.snapshots"),
  RESULTS("strategy.results"),
  DECISIONS("probability.decisions"),
  OUTCOMES("decision.outcomes");

  final String topic;

  Output(String topic) {
    this.topic = topic;
  }
}
