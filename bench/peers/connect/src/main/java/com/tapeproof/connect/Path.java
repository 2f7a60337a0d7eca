package com.tapeproof.connect;

import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;

/**
 * The way to a field of a record: {@code tape.offset}, {@code calibration.weights[0]}.
 *
 * @param fields the index of each step's field
 * @param elements of each step, the element of the list that is taken; -1 where there is no list
 */
record Path(int[] fields, int[] elements) {
  private static final int NO_LIST = -1;

  static Path parse(String text, Schema record) {
    String[] steps = text.split("\\.");
    int[] fields = new int[steps.length];
    int[] elements = new int[steps.length];
    Schema schema = record;
    for (int at = 0; at < steps.length; at += 1) {
      int bracket = steps[at].indexOf('[');
      String name = bracket < 0 ? steps[at] : steps[at].substring(0, bracket);
      Schema.Field field = presentOf(schema).getField(name);
      if (field == null) throw new IllegalArgumentException("no field " + text + " in " + record.getFullName());
      fields[at] = field.pos();
      elements[at] = bracket < 0 ? NO_LIST : Integer.parseInt(steps[at].substring(bracket + 1, steps[at].length() - 1));
      schema = field.schema();
    }
    return new Path(fields, elements);
  }

  /** The field's value; null where a record on the way is absent. */
  Object in(GenericRecord record) {
    Object value = record;
    for (int at = 0; at < fields.length && value != null; at += 1) {
      value = ((GenericRecord) value).get(fields[at]);
      if (value != null && elements[at] != NO_LIST) value = ((List<?>) value).get(elements[at]);
    }
    return value;
  }

  /** The other branch of a union with null. */
  private static Schema presentOf(Schema schema) {
    if (!schema.isUnion()) return schema;
    return schema.getTypes().stream().filter(branch -> branch.getType() != Schema.Type.NULL).findFirst().orElseThrow();
  }
}
