package com.tapeproof.peers;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.internals.WrappedStateStore;

/**
 * The state of one partition as objects on the heap. What changed is put into a key-value store, and so into its
 * changelog, when Streams flushes caches: before each commit, like its own record cache. Keys are an instrument's name,
 * what the value is, and a number.
 */
final class InstrumentStore extends WrappedStateStore<KeyValueStore<String, byte[]>, Object, Object> {
  static final String NAME = "instruments";
  private static final String SEQUENCES = "sequences";
  private static final String INSTRUMENT = " instrument";
  private static final String POINT = " point ";
  private static final String PAGE = " page ";

  private final Map<String, Instrument> instruments = new HashMap<>();
  private final List<Instrument> changed = new ArrayList<>();
  private final long[] sequences = new long[Output.values().length];
  private Instrument last = new Instrument("");

  private InstrumentStore(KeyValueStore<String, byte[]> stored) {
    super(stored);
  }

  /** The numbers of the next events, to be advanced in place. */
  long[] sequences() {
    return sequences;
  }

  /** The instrument of a name, created if it is new; a record is about to change it. */
  Instrument instrument(String name) {
    if (!last.name.equals(name)) last = instruments.computeIfAbsent(name, Instrument::new);
    if (!last.isChanged) {
      last.isChanged = true;
      changed.add(last);
    }
    return last;
  }

  /** Reads what the store has: after a restart, its changelog's content. */
  void load() {
    clearCache();
    Map<String, List<Identities.Page>> pages = new TreeMap<>();
    Map<String, Long> forgotten = new HashMap<>();
    try (KeyValueIterator<String, byte[]> all = wrapped().all()) {
      while (all.hasNext()) {
        KeyValue<String, byte[]> entry = all.next();
        if (entry.key.equals(SEQUENCES)) ByteBuffer.wrap(entry.value).asLongBuffer().get(sequences);
        else loadPart(entry.key, entry.value, pages, forgotten);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    forgotten.forEach(
        (name, timeUs) -> instruments.get(name).seen.restore(pages.getOrDefault(name, List.of()), timeUs));
  }

  private void loadPart(String key, byte[] value, Map<String, List<Identities.Page>> pages, Map<String, Long> forgotten)
      throws IOException {
    String name = key.substring(0, key.indexOf(' '));
    Instrument instrument = instruments.computeIfAbsent(name, Instrument::new);
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(value));
    if (key.endsWith(INSTRUMENT)) {
      forgotten.put(name, instrument.read(in));
      return;
    }
    long number = Long.parseLong(key, key.lastIndexOf(' ') + 1, key.length(), 16);
    if (key.startsWith(POINT, name.length())) instrument.outcomes.restore(Outcomes.Point.read(number, in));
    else pages.computeIfAbsent(name, any -> new ArrayList<>()).add(Identities.Page.of(number, value));
  }

  @Override
  public void flushCache() {
    if (changed.isEmpty()) return;
    try {
      for (Instrument instrument : changed) save(instrument);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    changed.clear();
    ByteBuffer numbers = ByteBuffer.allocate(sequences.length * Long.BYTES);
    numbers.asLongBuffer().put(sequences);
    wrapped().put(SEQUENCES, numbers.array());
  }

  private void save(Instrument instrument) throws IOException {
    String name = instrument.name;
    instrument.isChanged = false;
    wrapped().put(name + INSTRUMENT, bytesOf(instrument::write));
    for (Outcomes.Point point : instrument.outcomes.takeUnstored()) {
      wrapped().put(name + POINT + hex(point.number), bytesOf(point::write));
    }
    for (long number : instrument.outcomes.takeSpent()) wrapped().delete(name + POINT + hex(number));
    for (Identities.Page page : instrument.seen.changedPages()) {
      wrapped().put(name + PAGE + hex(page.number), page.toBytes());
    }
    for (long number : instrument.seen.takeDroppedPages()) wrapped().delete(name + PAGE + hex(number));
  }

  @Override
  public void clearCache() {
    instruments.clear();
    changed.clear();
    last = new Instrument("");
    Arrays.fill(sequences, 0);
  }

  private interface Written {
    void write(DataOutputStream out) throws IOException;
  }

  private static byte[] bytesOf(Written part) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(2_048);
    part.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  /** With leading zeros, so that a store returns numbers in order. */
  private static String hex(long number) {
    return String.format("%016x", number);
  }

  /** Always logged, and never cached by Streams: this store is the cache. */
  static final class Builder implements StoreBuilder<InstrumentStore> {
    private final StoreBuilder<KeyValueStore<String, byte[]>> stored;

    Builder(boolean hasRocksDb) {
      var supplier = hasRocksDb ? Stores.persistentKeyValueStore(NAME) : Stores.inMemoryKeyValueStore(NAME);
      stored = Stores.keyValueStoreBuilder(supplier, Serdes.String(), Serdes.ByteArray()).withCachingDisabled();
    }

    @Override
    public InstrumentStore build() {
      return new InstrumentStore(stored.build());
    }

    @Override
    public StoreBuilder<InstrumentStore> withCachingEnabled() {
      return this;
    }

    @Override
    public StoreBuilder<InstrumentStore> withCachingDisabled() {
      return this;
    }

    @Override
    public StoreBuilder<InstrumentStore> withLoggingEnabled(Map<String, String> config) {
      stored.withLoggingEnabled(config);
      return this;
    }

    @Override
    public StoreBuilder<InstrumentStore> withLoggingDisabled() {
      throw new UnsupportedOperationException("the state must survive the process");
    }

    @Override
    public Map<String, String> logConfig() {
      return stored.logConfig();
    }

    @Override
    public boolean loggingEnabled() {
      return stored.loggingEnabled();
    }

    @Override
    public String name() {
      return NAME;
    }
  }
}
