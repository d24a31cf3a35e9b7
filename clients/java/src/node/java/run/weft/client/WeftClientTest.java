package run.weft.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import demo.orders.v1.Delivery;
import demo.orders.v1.FindRequest;
import demo.orders.v1.Item;
import demo.orders.v1.Order;
import demo.orders.v1.OrdersGrpc;
import demo.orders.v1.PlaceRequest;
import demo.orders.v1.Refusal;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import run.weft.v1.Change;
import run.weft.v1.Consistency;
import run.weft.v1.DeploySpec;
import run.weft.v1.Function;
import run.weft.v1.Limits;
import run.weft.v1.UpdateRequest;

/** The client against a node, which test/sdk starts: it says in the environment where everything is. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class WeftClientTest {
  private static final Path COMPONENT = Path.of(where("WEFT_COMPONENT"));
  private static final String NAMESPACE = "java";
  private static WeftClient client;

  private static String where(String name) {
    String value = System.getenv(name);
    if (value == null) {
      throw new IllegalStateException("no " + name + ": 'go test ./test/sdk' starts a node and runs these tests");
    }
    return value;
  }

  @BeforeAll
  static void deployOrders() throws IOException {
    client = WeftClient.builder(where("WEFT_ADDR")).namespace(NAMESPACE).build();
    var wait = com.google.protobuf.Duration.newBuilder().setSeconds(60);
    client.deploy(COMPONENT, DeploySpec.newBuilder().setName("orders").setWait(wait).build());
  }

  @AfterAll
  static void close() {
    client.close();
  }

  private static WeftClient fake() {
    return WeftClient.connect(where("WEFT_FAKE_ADDR"));
  }

  private static OrdersGrpc.OrdersBlockingStub orders(Channel channel) {
    return OrdersGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private static FindRequest find(String sku) {
    return FindRequest.newBuilder().setSku(sku).build();
  }

  private static PlaceRequest order(String customer) {
    var item = Item.newBuilder().setSku("book-loom").setQuantity(1);
    var delivery = Delivery.newBuilder().setPickup(com.google.protobuf.Empty.getDefaultInstance());
    return PlaceRequest.newBuilder()
        .setOrder(Order.newBuilder().setCustomer(customer).addItems(item).setDelivery(delivery))
        .build();
  }

  @Test
  void deploysWithProgress() throws IOException {
    List<Long> sent = new ArrayList<>();
    DeploySpec spec =
        DeploySpec.newBuilder()
            .setName("deployed")
            .putEnvironment("A", "b")
            .setLimits(Limits.newBuilder().setConcurrency(2))
            .build();
    Function deployed = client.deploy(COMPONENT, spec, sent::add).getFunction();
    assertEquals(NAMESPACE, deployed.getNamespace());
    assertTrue(sent.size() > 1);
    assertEquals(Files.size(COMPONENT), sent.get(sent.size() - 1));
    client.deploy(new ByteArrayInputStream(Files.readAllBytes(COMPONENT)), spec, n -> {});
    assertFalse(client.diff(COMPONENT, spec).getBreaking());
    assertEquals(2, client.get("deployed", Consistency.CONSISTENCY_LINEARIZABLE).getFunction().getRevision());

    UpdateRequest more =
        UpdateRequest.newBuilder().setName("deployed").setLimits(Limits.newBuilder().setConcurrency(3)).build();
    Function updated = client.update(more).getFunction();
    assertEquals(3, updated.getRevisions(updated.getRevisionsCount() - 1).getLimits().getConcurrency());
    assertEquals("orders", client.route("demo.orders.v1.Orders", "deployed"));
    assertEquals("deployed", client.route("demo.orders.v1.Orders", "orders"));
    assertEquals(3, client.delete("deployed"));
  }

  @Test
  void refusesBadComponents() {
    DeploySpec bad = DeploySpec.newBuilder().setName("bad").build();
    var text = new ByteArrayInputStream("not WebAssembly".getBytes());
    WeftException refused = assertThrows(WeftException.class, () -> client.deploy(text, bad, n -> {}));
    assertEquals(Status.Code.INVALID_ARGUMENT, refused.code());
    assertEquals("NOT_WASM", refused.reason());
    assertThrows(NoSuchFileException.class, () -> client.deploy(Path.of("missing.wasm"), bad));
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("the disk is gone");
          }
        };
    assertThrows(IOException.class, () -> client.deploy(broken, bad, n -> {}));
    assertThrows(
        ArithmeticException.class, () -> client.deploy(COMPONENT, bad, n -> { throw new ArithmeticException(); }));
    assertEquals("NOT_FOUND", assertThrows(WeftException.class, () -> client.get("bad")).reason());
  }

  @Test
  void reads() {
    assertTrue(client.list().getFunctionsList().stream().anyMatch(f -> f.getName().equals("orders")));
    Function orders = client.get("orders", Consistency.CONSISTENCY_STALE).getFunction();
    assertEquals("demo.orders.v1.Orders", orders.getServices(0).getName());
    assertEquals("demo.orders.v1", client.schema("orders").getContracts(0).getPackage());
    String node = client.status().getNode();
    assertTrue(client.nodes().getNodesList().stream().anyMatch(n -> n.getName().equals(node)));
    WeftException missing = assertThrows(WeftException.class, () -> client.get("nobody"));
    assertEquals(Status.Code.NOT_FOUND, missing.code());
    assertTrue(missing.getMessage().contains("nobody"));
  }

  @Test
  void setsSecrets() {
    assertEquals(1, client.setSecret("java/password", "pässword"));
    assertEquals(2, client.setSecret("java/password", "other"));
    assertEquals(1, client.setSecret("java/password", "own", "orders"));
    var found = client.secrets().getSecretsList().stream().filter(s -> s.getKey().equals("java/password")).toList();
    assertEquals(2, found.size());
    assertEquals(5, found.get(0).getSizeBytes());
    assertEquals("orders", found.get(1).getFunction());
    client.deleteSecret("java/password");
    client.deleteSecret("java/password", "orders");
    WeftException missing = assertThrows(WeftException.class, () -> client.deleteSecret("java/password"));
    assertEquals("NOT_FOUND", missing.reason());
    WeftException large = assertThrows(WeftException.class, () -> client.setSecret("java/large", "x".repeat(1 << 20)));
    assertTrue(large.getMessage().contains("64 KiB"));
  }

  @Test
  void drains() {
    String node = client.status().getNode();
    try {
      client.drain(node, Duration.ZERO);
      assertTrue(Set.of("draining", "drained").contains(client.nodes().getNodes(0).getState()));
    } finally {
      client.undrain(node);
    }
    assertEquals("alive", client.nodes().getNodes(0).getState());
  }

  @Test
  void callsWithStubs() {
    var orders = orders(client.channel());
    assertEquals(2450, orders.find(find("book-loom")).getValue().getPrice());
    var thrown = assertThrows(StatusRuntimeException.class, () -> orders.find(find("unobtainium")));
    WeftException refused = WeftException.of(thrown);
    assertEquals(Status.Code.NOT_FOUND, refused.code());
    assertEquals("", refused.reason());
    assertEquals("unobtainium", refused.detail(Refusal.getDefaultInstance()).orElseThrow().getNotFound());
    assertTrue(refused.detail(Order.getDefaultInstance()).isEmpty());
  }

  @Test
  void choosesFunctionAndRevision() {
    var headers = new AtomicReference<Metadata>();
    var trailers = new AtomicReference<Metadata>();
    Channel first =
        ClientInterceptors.intercept(
            client.channel(new Target("orders", 1)), MetadataUtils.newCaptureMetadataInterceptor(headers, trailers));
    orders(first).find(find("book-loom"));
    var key = Metadata.Key.of("weft-revision", Metadata.ASCII_STRING_MARSHALLER);
    Metadata with = headers.get().containsKey(key) ? headers.get() : trailers.get();
    assertEquals("1", with.get(key));
    for (Target target : List.of(Target.ofFunction("nobody"), Target.ofRevision(999))) {
      var orders = orders(client.channel(target));
      var thrown = assertThrows(StatusRuntimeException.class, () -> orders.find(find("book-loom")));
      assertFalse(WeftException.of(thrown).reason().isEmpty());
    }
  }

  @Test
  void readsLogs() throws Exception {
    var orders = orders(client.channel());
    orders.place(order("ada"));
    try (Logs lines = client.followLogs("orders")) {
      while (!lines.next().getMessage().contains("ada")) {}
      orders.place(order("grace"));
      while (!lines.next().getMessage().contains("grace")) {}
      var waiting = CompletableFuture.supplyAsync(lines::hasNext);
      lines.close();
      assertFalse(waiting.get(1, TimeUnit.MINUTES));
    }
    boolean found = false;
    try (Logs lines = client.logs("orders")) {
      while (lines.hasNext()) {
        found |= lines.next().getMessage().contains("grace");
      }
    }
    assertTrue(found);
    try (Logs lines = client.logs("nobody")) {
      assertTrue(assertThrows(WeftException.class, lines::hasNext).getMessage().contains("nobody"));
    }
  }

  @Test
  void keepsDeadlines() {
    try (WeftClient silent = WeftClient.connect(where("WEFT_SILENT_ADDR"))) {
      WeftClient hasty = silent.withTimeout(Duration.ofMillis(50));
      var late = assertThrows(WeftException.class, () -> hasty.get("slow"));
      assertEquals(Status.Code.DEADLINE_EXCEEDED, late.code());
    }
  }

  @Test
  void repeatsWhatIsSafe() {
    try (WeftClient fake = fake();
        WeftClient once = WeftClient.builder(where("WEFT_FAKE_ADDR")).retry(null).build()) {
      assertEquals(3, fake.get("flaky-java").getFunction().getRevision());
      var unavailable = assertThrows(WeftException.class, () -> once.get("flaky-java-once"));
      assertEquals(Status.Code.UNAVAILABLE, unavailable.code());
    }
  }

  @Test
  void tellsBrokenConnections() {
    Status unknown = Status.UNKNOWN.withDescription("channel closed");
    var broken = WeftException.of(unknown.withCause(new ClosedChannelException()).asRuntimeException());
    assertEquals(Status.Code.UNAVAILABLE, broken.code());
    assertEquals("channel closed", broken.getMessage());
    assertEquals(Status.Code.UNKNOWN, WeftException.of(unknown.asRuntimeException()).code());
  }

  @Test
  void tellsChanges() {
    try (WeftClient fake = fake()) {
      var breaks = assertThrows(WeftException.class, () -> fake.get("breaks"));
      assertEquals("BREAKING_CHANGE", breaks.reason());
      assertEquals(List.of("demo.v1.Order.note"), breaks.changes().stream().map(Change::getPath).toList());
    }
  }

  @Test
  void sendsTokensOverTls() throws IOException {
    try (WeftClient fake = WeftClient.builder(where("WEFT_FAKE_ADDR")).token("secret").build()) {
      assertEquals("Bearer secret", fake.get("token").getFunction().getName());
    }
    var elsewhere = WeftClient.builder("weft.example:7070").token("secret");
    assertTrue(assertThrows(IllegalArgumentException.class, elsewhere::build).getMessage().contains("plain text"));

    var trust = TlsChannelCredentials.newBuilder().trustManager(new File(where("WEFT_CA"))).build();
    var builder = WeftClient.builder(where("WEFT_TLS_ADDR")).token("secret").namespace(NAMESPACE);
    try (WeftClient secure = builder.tls(trust).build()) {
      assertFalse(secure.status().getNode().isEmpty());
      assertEquals(2450, orders(secure.channel()).find(find("book-loom")).getValue().getPrice());
    }
    try (WeftClient distrustful = builder.tls().retry(null).build()) {
      assertEquals(Status.Code.UNAVAILABLE, assertThrows(WeftException.class, distrustful::status).code());
    }
  }

  @Test
  void refusesBadAddresses() {
    for (String address : List.of("localhost", "", "a:b", "7070")) {
      assertThrows(IllegalArgumentException.class, () -> WeftClient.connect(address));
    }
    try (WeftClient nobody = WeftClient.builder("127.0.0.1:1").retry(null).build()) {
      assertEquals(Status.Code.UNAVAILABLE, assertThrows(WeftException.class, nobody::status).code());
    }
  }

  @Test
  @org.junit.jupiter.api.Order(Integer.MAX_VALUE)
  void survivesRestarts() throws Exception {
    client.status();
    HttpRequest restart =
        HttpRequest.newBuilder(URI.create(where("WEFT_CONTROL"))).POST(HttpRequest.BodyPublishers.noBody()).build();
    var restarted = HttpClient.newHttpClient().sendAsync(restart, HttpResponse.BodyHandlers.ofString());
    long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    boolean answered = false;
    while (!restarted.isDone() || !answered) {
      try {
        answered = client.get("orders").getFunction().getName().equals("orders");
      } catch (WeftException e) {
        assertTrue(Set.of(Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED).contains(e.code()), e::toString);
        assertTrue(System.nanoTime() < end, e::toString);
        Thread.sleep(50);
      }
    }
    assertEquals(200, restarted.get().statusCode());
  }
}
