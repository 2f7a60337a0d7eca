package com.tapeproof.peers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;

/** Writes events of one type in the registry's frame: a 0, the schema's id, and the Avro body. */
final class EventWriter<T extends SpecificRecordBase> {
  private final SpecificDatumWriter<T> writer;
  private final byte[] frame;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1_024);
  private final BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);

  EventWriter(Class<T> type) {
    writer = new SpecificDatumWriter<>(type);
    frame = ByteBuffer.allocate(5).put((byte) 0).putInt(Settings.schemaIdOf(type)).array();
  }

  byte[] write(T event) {
    try {
      bytes.reset();
      bytes.writeBytes(frame);
      writer.write(event, encoder);
      encoder.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
