package run.weft.client;

import io.grpc.Metadata;

/**
 * Who answers calls of functions, where it is not the current revision of the service's owner.
 *
 * @param function a function other than the owner of the service, or null
 * @param revision a revision other than the current one, or null
 */
public record Target(String function, Integer revision) {
  /** The current revision of a function. */
  public static Target ofFunction(String function) {
    return new Target(function, null);
  }

  /** A revision of the service's owner. */
  public static Target ofRevision(int revision) {
    return new Target(null, revision);
  }

  void addTo(Metadata headers) {
    if (function != null) {
      headers.put(Metadata.Key.of("weft-function", Metadata.ASCII_STRING_MARSHALLER), function);
    }
    if (revision != null) {
      headers.put(Metadata.Key.of("weft-revision", Metadata.ASCII_STRING_MARSHALLER), revision.toString());
    }
  }
}
