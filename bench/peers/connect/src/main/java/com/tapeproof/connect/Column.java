package com.tapeproof.connect;

import io.debezium.time.MicroTimestamp;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * A column of the table and the field that fills it.
 *
 * @param type of the column in Postgres, without {@code null}
 * @param path see {@link Path}
 */
record Column(String name, String type, String path, Schema schema) {
  /** Of every decimal in our events. */
  private static final int DECIMAL_SCALE = 12;

  private static final String MAY_BE_NULL = " null";

  /** Parses {@code name:type:path}. */
  static Column parse(String text) {
    String[] parts = text.split(":");
    boolean mayBeNull = parts[1].endsWith(MAY_BE_NULL);
    String type = mayBeNull ? parts[1].substring(0, parts[1].length() - MAY_BE_NULL.length()) : parts[1];
    SchemaBuilder builder = builderOf(type);
    return new Column(parts[0], type, parts[2], (mayBeNull ? builder.optional() : builder).build());
  }

  private static SchemaBuilder builderOf(String type) {
    return switch (type) {
      case "text" -> SchemaBuilder.string();
      case "integer" -> SchemaBuilder.int32();
      case "bigint" -> SchemaBuilder.int64();
      case "double precision" -> SchemaBuilder.float64();
      case "numeric" -> Decimal.builder(DECIMAL_SCALE);
      case "timestamptz" -> MicroTimestamp.builder();
      case "bytea" -> SchemaBuilder.bytes();
      case "text[]" -> SchemaBuilder.array(Schema.STRING_SCHEMA);
      default -> throw new IllegalArgumentException("no such type of a column: " + type);
    };
  }

  boolean isHash() {
    return path.equals("bodyHash()");
  }

  /** The field's value as the sink takes it. */
  Object valueOf(Object field) {
    if (field == null) return null;
    return switch (type) {
      case "text" -> field.toString();
      case "numeric" -> decimalOf((ByteBuffer) field);
      case "text[]" -> textsOf((List<?>) field);
      default -> field;
    };
  }

  private static BigDecimal decimalOf(ByteBuffer unscaled) {
    byte[] bytes = new byte[unscaled.remaining()];
    unscaled.duplicate().get(bytes);
    return new BigDecimal(new BigInteger(bytes), DECIMAL_SCALE);
  }

  private static List<String> textsOf(List<?> values) {
    List<String> texts = new ArrayList<>(values.size());
    for (Object value : values) texts.add(value.toString());
    return texts;
  }
}
