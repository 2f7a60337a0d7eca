package com.tapeproof.peers;

import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** The engine's work as a Kafka Streams application: the tape in, derived events out. */
public final class Main {
  private static final String SOURCE = "tape";
  private static final String ENGINE = "engine";
  private static final String TAPE_TOPIC = "raw.trades";
  /** The engine's: how long a killed member keeps its partitions. */
  private static final int SESSION_TIMEOUT_MS = 10_000;

  private Main() {}

  public static void main(String[] args) throws InterruptedException {
    KafkaStreams streams = new KafkaStreams(topology(), properties());
    CountDownLatch failed = new CountDownLatch(1);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          failed.countDown();
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
    failed.await();
    System.exit(1);
  }

  private static Topology topology() {
    Topology topology = new Topology();
    topology.addSource(SOURCE, new StringDeserializer(), new ByteArrayDeserializer(), TAPE_TOPIC);
    topology.addProcessor(ENGINE, EngineProcessor::new, SOURCE);
    topology.addStateStore(new InstrumentStore.Builder(Settings.HAS_ROCKSDB), ENGINE);
    for (Output output : Output.values()) {
      String topic = Settings.PREFIX + output.topic;
      topology.addSink(output.name(), topic, new StringSerializer(), new ByteArraySerializer(), ENGINE);
    }
    return topology;
  }

  private static Properties properties() {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, Settings.APPLICATION);
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, Settings.BROKERS);
    properties.put(StreamsConfig.STATE_DIR_CONFIG, Settings.STATE_FOLDER);
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, Settings.GUARANTEE);
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, Settings.COMMIT_INTERVAL_MS);
    properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), SESSION_TIMEOUT_MS);
    properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), SESSION_TIMEOUT_MS / 3);
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.ACKS_CONFIG), "all");
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
    properties.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
    return properties;
  }
}
