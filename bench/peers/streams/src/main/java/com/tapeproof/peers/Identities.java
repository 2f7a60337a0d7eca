package com.tapeproof.peers;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The identities, id and time, of one instrument's trades: an exact set, in pages ordered by time and then id. An id is
 * a number, as on the tapes of the benchmark.
 */
final class Identities {
  private static final int PAGE_IDENTITIES = 1_024;

  private final List<Page> pages = new ArrayList<>();
  /** Numbers of pages that are no longer needed. */
  private final List<Long> dropped = new ArrayList<>();
  private long nextNumber;
  private long forgottenBeforeUs = Long.MIN_VALUE;

  /** One value of the store. */
  static final class Page {
    final long number;
    private final long[] times = new long[PAGE_IDENTITIES];
    private final long[] ids = new long[PAGE_IDENTITIES];
    private int count;
    private boolean isChanged;

    Page(long number) {
      this.number = number;
    }

    private int compare(int position, long time, long id) {
      int order = Long.compare(times[position], time);
      return order != 0 ? order : Long.compare(ids[position], id);
    }

    /** Position of the first identity that is not before the one given. */
    private int search(long time, long id) {
      int low = 0;
      int high = count;
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (compare(middle, time, id) < 0) low = middle + 1;
        else high = middle;
      }
      return low;
    }

    private void insert(int position, long time, long id) {
      System.arraycopy(times, position, times, position + 1, count - position);
      System.arraycopy(ids, position, ids, position + 1, count - position);
      times[position] = time;
      ids[position] = id;
      count++;
      isChanged = true;
    }

    private void moveUpperHalfTo(Page other) {
      int half = count / 2;
      for (int position = half; position < count; position++) {
        other.insert(position - half, times[position], ids[position]);
      }
      count = half;
      isChanged = true;
    }

    byte[] toBytes() throws IOException {
      isChanged = false;
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(count * 4);
      DataOutputStream out = new DataOutputStream(bytes);
      long time = 0;
      long id = 0;
      for (int position = 0; position < count; position++) {
        writeNumber(out, times[position] - time);
        writeNumber(out, ids[position] - id);
        time = times[position];
        id = ids[position];
      }
      return bytes.toByteArray();
    }

    static Page of(long number, byte[] bytes) throws IOException {
      Page page = new Page(number);
      ByteArrayInputStream in = new ByteArrayInputStream(bytes);
      DataInputStream data = new DataInputStream(in);
      long time = 0;
      long id = 0;
      while (in.available() > 0) {
        time += readNumber(data);
        id += readNumber(data);
        page.insert(page.count, time, id);
      }
      page.isChanged = false;
      return page;
    }

    /** A zigzag number of seven bits a byte. */
    private static void writeNumber(DataOutputStream out, long value) throws IOException {
      long rest = value << 1 ^ value >> 63;
      for (; (rest & ~0x7fL) != 0; rest >>>= 7) out.writeByte((int) (rest & 0x7f | 0x80));
      out.writeByte((int) rest);
    }

    private static long readNumber(DataInputStream in) throws IOException {
      long zigzag = 0;
      int septet = 0x80;
      for (int shift = 0; (septet & 0x80) != 0; shift += 7) {
        septet = in.readUnsignedByte();
        zigzag |= (long) (septet & 0x7f) << shift;
      }
      return zigzag >>> 1 ^ -(zigzag & 1);
    }
  }

  /** False for a trade so old that it is no longer known whether it was there. */
  boolean canJudge(long timeUs) {
    return timeUs >= forgottenBeforeUs;
  }

  /** Adds a trade; false when it is already there, or cannot be judged. */
  boolean add(String tradeId, long timeUs) {
    long id = Long.parseLong(tradeId);
    if (timeUs < forgottenBeforeUs) return false;
    Page last = pages.isEmpty() ? null : pages.get(pages.size() - 1);
    int order = last == null ? -1 : last.compare(last.count - 1, timeUs, id);
    if (order == 0) return false;
    if (order < 0) {
      if (last == null || last.count == PAGE_IDENTITIES) pages.add(last = new Page(nextNumber++));
      last.insert(last.count, timeUs, id);
      return true;
    }
    return insert(timeUs, id);
  }

  boolean has(String tradeId, long timeUs) {
    if (pages.isEmpty()) return false;
    long id = Long.parseLong(tradeId);
    Page page = pages.get(pageOf(timeUs, id));
    int position = page.search(timeUs, id);
    return position < page.count && page.compare(position, timeUs, id) == 0;
  }

  private boolean insert(long timeUs, long id) {
    int at = pageOf(timeUs, id);
    Page page = pages.get(at);
    int position = page.search(timeUs, id);
    if (position < page.count && page.compare(position, timeUs, id) == 0) return false;
    if (page.count == PAGE_IDENTITIES) {
      Page upper = new Page(nextNumber++);
      page.moveUpperHalfTo(upper);
      pages.add(at + 1, upper);
      return insert(timeUs, id);
    }
    page.insert(position, timeUs, id);
    return true;
  }

  /** Index of the last page that begins at or before an identity, or of the first. */
  private int pageOf(long timeUs, long id) {
    int low = 1;
    int high = pages.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (pages.get(middle).compare(0, timeUs, id) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  void forgetBefore(long timeUs) {
    if (timeUs <= forgottenBeforeUs) return;
    forgottenBeforeUs = timeUs;
    pages.removeIf(page -> {
      boolean isOld = page.times[page.count - 1] < timeUs;
      if (isOld) dropped.add(page.number);
      return isOld;
    });
  }

  long forgottenBeforeUs() {
    return forgottenBeforeUs;
  }

  List<Page> changedPages() {
    return pages.stream().filter(page -> page.isChanged).toList();
  }

  List<Long> takeDroppedPages() {
    List<Long> taken = List.copyOf(dropped);
    dropped.clear();
    return taken;
  }

  void restore(List<Page> stored, long forgottenBefore) {
    pages.addAll(stored);
    pages.sort(Comparator.comparingLong((Page page) -> page.times[0]).thenComparingLong(page -> page.ids[0]));
    for (Page page : pages) nextNumber = Math.max(nextNumber, page.number + 1);
    forgottenBeforeUs = forgottenBefore;
  }
}
