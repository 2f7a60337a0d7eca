package com.tapeproof.connect;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.apache.avro.Schema;
import org.apache.kafka.connect.errors.ConnectException;

/** The schema registry, by Confluent's interface. */
final class Registry {
  private static final int OK = 200;

  private final String url;

  Registry(String url) {
    this.url = url;
  }

  Schema schemaOf(int id) {
    HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/schemas/ids/" + id)).build();
    try {
      var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
      if (response.statusCode() != OK) throw new ConnectException("the registry has no schema " + id);
      return new Schema.Parser().parse(new ObjectMapper().readTree(response.body()).get("schema").asText());
    } catch (IOException error) {
      throw new ConnectException("the registry does not answer", error);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      throw new ConnectException("interrupted", error);
    }
  }
}
