package com.tapeproof.peers;

import com.tapeproof.events.TakerSide;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** The part of a trade that the engine computes with: time in microseconds, price and size in units of 10^-12. */
record Tick(String tradeId, long time, long price, long size, TakerSide side) {
  void write(DataOutput out) throws IOException {
    out.writeUTF(tradeId);
    out.writeLong(time);
    out.writeLong(price);
    out.writeLong(size);
    out.writeByte(side.ordinal());
  }

  static Tick read(DataInput in) throws IOException {
    return new Tick(in.readUTF(), in.readLong(), in.readLong(), in.readLong(), TakerSide.values()[in.readByte()]);
  }
}
