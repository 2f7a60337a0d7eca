package com.tapeproof.connect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.storage.Converter;

/**
 * Reads records in the registry's wire format (0, schema id, Avro) as flat rows.
 *
 * <p>Settings: {@code registry.url}; {@code columns}, {@code name:type:path} separated by commas, in which the type is the
 * column's in Postgres and the path names a field of the record; {@code fingerprint}, which is hashed before the record where a
 * path is {@code bodyHash()}. One thread.
 */
public final class EventConverter implements Converter {
  private static final byte MAGIC = 0;
  private static final int HEADER_BYTES = 5;

  private final Map<Integer, Reader> readers = new HashMap<>();
  private Registry registry;
  private List<Column> columns;
  private byte[] fingerprint;
  private Schema schema;
  private MessageDigest digest;
  private BinaryDecoder decoder;

  @Override
  public void configure(Map<String, ?> settings, boolean isKey) {
    registry = new Registry((String) settings.get("registry.url"));
    fingerprint = HexFormat.of().parseHex((String) settings.get("fingerprint"));
    columns = new ArrayList<>();
    SchemaBuilder builder = SchemaBuilder.struct();
    for (String text : ((String) settings.get("columns")).split(",")) {
      Column column = Column.parse(text);
      columns.add(column);
      builder.field(column.name(), column.schema());
    }
    schema = builder.build();
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
  }

  @Override
  public byte[] fromConnectData(String topic, Schema of, Object value) {
    throw new DataException("this converter only reads");
  }

  @Override
  public SchemaAndValue toConnectData(String topic, byte[] bytes) {
    if (bytes == null) return SchemaAndValue.NULL;
    if (bytes.length < HEADER_BYTES || bytes[0] != MAGIC) throw new DataException("not in the registry's wire format");
    Reader reader = readers.computeIfAbsent(ByteBuffer.wrap(bytes).getInt(1), this::readerOf);
    GenericRecord record = reader.read(bytes);
    Struct row = new Struct(schema);
    for (int at = 0; at < columns.size(); at += 1) {
      Column column = columns.get(at);
      Path path = reader.paths[at];
      row.put(column.name(), path == null ? hashOf(bytes) : column.valueOf(path.in(record)));
    }
    return new SchemaAndValue(schema, row);
  }

  private byte[] hashOf(byte[] bytes) {
    digest.update(fingerprint);
    digest.update(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES);
    return digest.digest();
  }

  private Reader readerOf(int schemaId) {
    return new Reader(registry.schemaOf(schemaId));
  }

  /** What is done once for each schema. The record is reused: a row keeps nothing of it that changes. */
  private final class Reader {
    /** By column; null for the hash. */
    final Path[] paths;
    private final GenericDatumReader<GenericRecord> avro;
    private GenericRecord record;

    Reader(org.apache.avro.Schema written) {
      avro = new GenericDatumReader<>(written);
      paths = new Path[columns.size()];
      for (int at = 0; at < paths.length; at += 1) {
        Column column = columns.get(at);
        paths[at] = column.isHash() ? null : Path.parse(column.path(), written);
      }
    }

    GenericRecord read(byte[] bytes) {
      try {
        decoder = DecoderFactory.get().binaryDecoder(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES, decoder);
        record = avro.read(record, decoder);
        return record;
      } catch (IOException error) {
        throw new DataException("not a record of its schema", error);
      }
    }
  }
}
