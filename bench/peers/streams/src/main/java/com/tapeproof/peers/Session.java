package com.tapeproof.peers;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** The sums over one session of an instrument: a UTC day. */
final class Session {
  static final long LENGTH_US = 86_400_000_000L;

  final long index;
  /** Least tape offset of its trades. */
  long firstOffset;
  long trades;
  final WeightedSums sums;
  /** Null before its first trade. */
  VolumeProfile profile;

  Session(long index, long firstOffset) {
    this(index, firstOffset, new WeightedSums());
  }

  private Session(long index, long firstOffset, WeightedSums sums) {
    this.index = index;
    this.firstOffset = firstOffset;
    this.sums = sums;
  }

  static long indexOf(long timeUs) {
    return Math.floorDiv(timeUs, LENGTH_US);
  }

  void add(Tick trade, long offset) {
    if (offset < firstOffset) firstOffset = offset;
    trades++;
    sums.add(trade.price(), trade.size());
    if (profile == null) profile = new VolumeProfile(PriceRows.from(trade.price()));
    profile.add(trade.price(), trade.size());
  }

  void write(DataOutput out) throws IOException {
    out.writeLong(index);
    out.writeLong(firstOffset);
    out.writeLong(trades);
    sums.write(out);
    out.writeBoolean(profile != null);
    if (profile != null) profile.write(out);
  }

  static Session read(DataInput in) throws IOException {
    long index = in.readLong();
    long firstOffset = in.readLong();
    long trades = in.readLong();
    Session session = new Session(index, firstOffset, WeightedSums.read(in));
    session.trades = trades;
    if (in.readBoolean()) session.profile = VolumeProfile.read(in);
    return session;
  }
}
