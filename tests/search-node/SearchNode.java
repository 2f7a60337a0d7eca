import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.core.common.transport.BoundTransportAddress;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.index.mapper.MapperExtrasPlugin;
import org.opensearch.ingest.common.IngestCommonPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.script.mustache.MustachePlugin;
import org.opensearch.transport.Netty4Plugin;

/**
 * One node with its data in the folder given, on a free port of loopback that it prints. It ends with its input, and so
 * with the process that started it.
 */
public final class SearchNode extends Node {
  private SearchNode(Settings settings) {
    super(
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "test"),
        List.of(
            Netty4Plugin.class,
            IngestCommonPlugin.class,
            PainlessPlugin.class,
            MustachePlugin.class,
            MapperExtrasPlugin.class),
        false);
  }

  public static void main(String[] arguments) throws Exception {
    Settings settings =
        Settings.builder()
            .put("path.home", arguments[0])
            .put("discovery.type", "single-node")
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("network.host", "127.0.0.1")
            .put("http.port", "0")
            .put("transport.port", "0")
            // A nearly full disk of a test machine is no reason to refuse a line.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
    try (Node node = new SearchNode(settings).start()) {
      BoundTransportAddress bound = node.injector().getInstance(HttpServerTransport.class).boundAddress();
      System.out.println("port " + bound.publishAddress().getPort());
      while (System.in.read() >= 0) {}
    }
    System.exit(0);
  }
}
