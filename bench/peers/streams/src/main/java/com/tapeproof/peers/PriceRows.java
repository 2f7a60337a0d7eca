package com.tapeproof.peers;

/** How prices are divided into the rows of a volume profile whose bin size follows from its first price. */
final class PriceRows {
  private static final long BINS_PER_DECADE = 10_000;
  /** Below this many rows of the bin size each decade of prices has finer rows. */
  private static final long COARSE_ROWS = 1_000;
  private static final long DECADE_ROWS = 9_000;

  /** Heights of rows, 10^-12: the bin size, and then those of the finer decades, downward. */
  private final long[] heights;

  private PriceRows(long[] heights) {
    this.heights = heights;
  }

  static PriceRows from(long firstPrice) {
    long power = 1;
    while (power <= firstPrice / 10) power *= 10;
    return of(Math.max(power / BINS_PER_DECADE, 1));
  }

  /** @param binSize a power of ten. */
  static PriceRows of(long binSize) {
    int depth = 0;
    while (Decimals.powerOfTen(depth) < binSize) depth++;
    long[] heights = new long[depth + 1];
    for (int decade = 0; decade <= depth; decade++) heights[decade] = binSize / Decimals.powerOfTen(decade);
    return new PriceRows(heights);
  }

  long binSize() {
    return heights[0];
  }

  long rowOf(long price) {
    long row = Math.floorDiv(price, heights[0]);
    int depth = heights.length - 1;
    if (row >= COARSE_ROWS || depth == 0) return row;
    if (row < 0) return row - DECADE_ROWS * depth;
    int decade = 1;
    while (decade < depth && price / heights[decade] < COARSE_ROWS) decade++;
    return price / heights[decade] - DECADE_ROWS * decade;
  }

  long lowerEdgeOf(long row) {
    int depth = heights.length - 1;
    if (row >= COARSE_ROWS) return heights[0] * row;
    if (row < -DECADE_ROWS * depth) return heights[0] * (row + DECADE_ROWS * depth);
    int decade = (int) Math.min((COARSE_ROWS - row + DECADE_ROWS - 1) / DECADE_ROWS, depth);
    return heights[decade] * (row + DECADE_ROWS * decade);
  }
}
