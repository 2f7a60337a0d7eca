package com.tapeproof.peers;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The sessions that trades may still count into: the one that the clock is in, the one before and the one after. */
final class Sessions {
  enum Place {
    HELD,
    TOO_OLD,
    TOO_FAR
  }

  /** Ascending. */
  private final List<Session> held = new ArrayList<>(3);
  private Session current;

  /** The session that the clock is in; null before the first trade. */
  Session current() {
    return current;
  }

  private Session previous() {
    int position = current == null ? 0 : held.indexOf(current);
    return position > 0 ? held.get(position - 1) : null;
  }

  /** Start of the earliest session that a trade may count into, microseconds. */
  long earliestUs() {
    Session previous = previous();
    return previous == null ? Long.MIN_VALUE : previous.index * Session.LENGTH_US;
  }

  Place placeOf(long index) {
    if (current == null || index == current.index) return Place.HELD;
    if (index > current.index) return index > current.index + 1 ? Place.TOO_FAR : Place.HELD;
    Session previous = previous();
    return previous != null && index < previous.index ? Place.TOO_OLD : Place.HELD;
  }

  /** The session's sums, created if it has none yet. */
  Session of(long index, long offset) {
    for (Session session : held) if (session.index == index) return session;
    Session session = new Session(index, offset);
    held.add(session);
    held.sort(Comparator.comparingLong(each -> each.index));
    if (current != null) dropOlder();
    return session;
  }

  /** The clock is in this session now. */
  Session enter(long index, long offset) {
    if (current != null && current.index == index) return current;
    current = null;
    current = of(index, offset);
    held.removeIf(session -> session.index > index + 1);
    dropOlder();
    return current;
  }

  private void dropOlder() {
    int position = held.indexOf(current);
    if (position > 1) held.subList(0, position - 1).clear();
  }

  void write(DataOutput out) throws IOException {
    out.writeByte(held.size());
    for (Session session : held) session.write(out);
    out.writeByte(current == null ? -1 : held.indexOf(current));
  }

  static Sessions read(DataInput in) throws IOException {
    Sessions sessions = new Sessions();
    for (int left = in.readByte(); left > 0; left--) sessions.held.add(Session.read(in));
    int position = in.readByte();
    if (position >= 0) sessions.current = sessions.held.get(position);
    return sessions;
  }
}
