package com.tapeproof.peers;

import com.tapeproof.events.Trade;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** One partition of the tape: a trade in, the events that it leads to out. */
final class EngineProcessor implements Processor<String, byte[], String, byte[]> {
  private static final int FRAME_BYTES = 5;
  private static final int TRADE_SCHEMA = Settings.schemaIdOf(Trade.class);

  private final SpecificDatumReader<Trade> reader = new SpecificDatumReader<>(Trade.class);
  private BinaryDecoder decoder;
  private Trade trade;
  private ProcessorContext<String, byte[]> context;
  private InstrumentStore store;
  private Emission emission;

  @Override
  public void init(ProcessorContext<String, byte[]> context) {
    this.context = context;
    store = context.getStateStore(InstrumentStore.NAME);
    store.load();
    emission = new Emission(context, store.sequences());
  }

  @Override
  public void process(Record<String, byte[]> record) {
    byte[] value = record.value();
    // The tape of the benchmark has trades, and an activation of the default configuration before them.
    if (ByteBuffer.wrap(value, 1, Integer.BYTES).getInt() != TRADE_SCHEMA) return;
    try {
      decoder = DecoderFactory.get().binaryDecoder(value, FRAME_BYTES, value.length - FRAME_BYTES, decoder);
      trade = reader.read(trade, decoder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    long size = Decimals.unitsOf(trade.getSize());
    if (trade.getSuspicious() || size <= 0) return;
    RecordMetadata place = context.recordMetadata().orElseThrow();
    Instrument instrument = store.instrument(trade.getInstrument());
    long price = Decimals.unitsOf(trade.getPrice());
    Tick tick = new Tick(trade.getTradeId(), trade.getEventTime(), price, size, trade.getSide());
    step(instrument, tick, place.partition(), place.offset());
  }

  private void step(Instrument instrument, Tick tick, int partition, long offset) {
    if (!instrument.admit(tick, offset)) return;
    var proven = instrument.takeProven();
    if (proven.isEmpty() && !instrument.outcomes.isDue(tick.time()) && !instrument.isSnapshotDue(tick.time())) {
      instrument.count(tick, offset);
      return;
    }
    emission.begin(partition, offset);
    for (var each : proven) {
      if (instrument.admitProven(each.trade(), each.offset())) stepOnTime(instrument, each.trade(), each.offset());
    }
    // One that it proves may be later than itself.
    if (proven.isEmpty() || instrument.admitProven(tick, offset)) stepOnTime(instrument, tick, offset);
  }

  private void stepOnTime(Instrument instrument, Tick tick, long offset) {
    emission.causedBy(instrument, tick, offset);
    for (var point = instrument.outcomes.takeDue(tick.time()); point != null; ) {
      emission.outcomes(point);
      point = instrument.outcomes.takeDue(tick.time());
    }
    instrument.count(tick, offset);
    if (instrument.isSnapshotDue(tick.time())) emission.decide();
  }
}
