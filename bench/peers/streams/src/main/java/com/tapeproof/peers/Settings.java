package com.tapeproof.peers;

/** What the benchmark passes as system properties. */
final class Settings {
  static final String BROKERS = System.getProperty("brokers");
  static final String APPLICATION = System.getProperty("application");
  static final String STATE_FOLDER = System.getProperty("stateFolder");
  static final String GUARANTEE = System.getProperty("guarantee");
  static final boolean HAS_ROCKSDB = Boolean.getBoolean("rocksdb");
  static final int COMMIT_INTERVAL_MS = Integer.getInteger("commitIntervalMs");
  /** Before the name of each output topic. */
  static final String PREFIX = System.getProperty("prefix");
  static final String ENGINE_VERSION = System.getProperty("engineVersion");
  static final String CONFIG_HASH = System.getProperty("configHash");

  private Settings() {}

  /** The registry's id of the schema of a type. */
  static int schemaIdOf(Class<?> type) {
    return Integer.getInteger("schemaId." + type.getSimpleName());
  }
}
