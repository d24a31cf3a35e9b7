package run.weft.client;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How often what is safe to repeat is repeated while the server can't be reached: a retry policy of gRPC's service config. A
 * server that knows better answers with grpc-retry-pushback-ms.
 *
 * @param maxAttempts all attempts, the first one included: 2 to 5
 * @param initialBackoff before the second attempt, about
 * @param maxBackoff before any attempt, at most
 * @param backoffMultiplier by how much each further wait is longer
 */
public record Retry(int maxAttempts, Duration initialBackoff, Duration maxBackoff, double backoffMultiplier) {
  /** What a client does if it is not told otherwise. */
  public static final Retry DEFAULT = new Retry(4, Duration.ofMillis(100), Duration.ofSeconds(1), 2);

  Map<String, ?> serviceConfig() {
    Stream<Map<String, ?>> functions =
        Stream.of("Get", "List", "Schema", "Update", "Route", "Delete", "Forget")
            .map(method -> Map.of("service", "weft.v1.FunctionService", "method", method));
    Stream<Map<String, ?>> others =
        Stream.of(Map.of("service", "weft.v1.NodeService"), Map.of("service", "weft.v1.SecretService"));
    Map<String, ?> policy =
        Map.of(
            "maxAttempts", (double) maxAttempts,
            "initialBackoff", seconds(initialBackoff),
            "maxBackoff", seconds(maxBackoff),
            "backoffMultiplier", backoffMultiplier,
            "retryableStatusCodes", List.of("UNAVAILABLE"));
    return Map.of(
        "methodConfig",
        List.of(Map.of("name", Stream.concat(functions, others).toList(), "retryPolicy", policy)));
  }

  private static String seconds(Duration d) {
    return String.format(Locale.ROOT, "%d.%09ds", d.getSeconds(), d.getNano());
  }
}
