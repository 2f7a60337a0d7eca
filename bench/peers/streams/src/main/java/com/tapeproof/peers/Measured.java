package com.tapeproof.peers;

/** The indicators at an on-time trade that was just counted. Prices in units of 10^-12. */
record Measured(
    long lastPrice,
    WeightedSums.Measures session,
    VolumeProfile.ValueArea area,
    /* Null until enough bars are completed. */
    Range.Bounds bounds,
    double barVolume,
    long tradeCount) {}
