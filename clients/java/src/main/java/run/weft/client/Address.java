package run.weft.client;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The address of a server. */
final class Address {
  private static final Pattern HOST_PORT = Pattern.compile("(.+):(\\d+)");
  private static final Pattern LOCAL = Pattern.compile("localhost|\\[::1]|127(\\.\\d{1,3}){3}");

  private Address() {}

  static void check(String address) {
    if (!isTarget(address) && !HOST_PORT.matcher(address).matches()) {
      throw new IllegalArgumentException("weft: address \"" + address + "\" is no host:port, such as 127.0.0.1:7070");
    }
  }

  /** Tells whether an address is that of this machine. */
  static boolean isLocal(String address) {
    Matcher m = HOST_PORT.matcher(address);
    return !isTarget(address) && m.matches() && LOCAL.matcher(m.group(1)).matches();
  }

  /** Tells whether gRPC finds the server in another way than by host and port. */
  private static boolean isTarget(String address) {
    return address.contains("://") || address.startsWith("unix:");
  }
}
