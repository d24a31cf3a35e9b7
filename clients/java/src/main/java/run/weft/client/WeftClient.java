package run.weft.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import run.weft.v1.Consistency;
import run.weft.v1.DeployRequest;
import run.weft.v1.DeployResponse;
import run.weft.v1.DeploySpec;
import run.weft.v1.DeleteRequest;
import run.weft.v1.DeleteSecretRequest;
import run.weft.v1.DiffRequest;
import run.weft.v1.DiffResponse;
import run.weft.v1.DrainRequest;
import run.weft.v1.DrainResponse;
import run.weft.v1.ForgetRequest;
import run.weft.v1.FunctionServiceGrpc;
import run.weft.v1.GetRequest;
import run.weft.v1.GetResponse;
import run.weft.v1.ListNodesRequest;
import run.weft.v1.ListNodesResponse;
import run.weft.v1.ListRequest;
import run.weft.v1.ListResponse;
import run.weft.v1.ListSecretsRequest;
import run.weft.v1.ListSecretsResponse;
import run.weft.v1.LogsRequest;
import run.weft.v1.NodeServiceGrpc;
import run.weft.v1.RouteRequest;
import run.weft.v1.SchemaRequest;
import run.weft.v1.SchemaResponse;
import run.weft.v1.SecretServiceGrpc;
import run.weft.v1.SetSecretRequest;
import run.weft.v1.StatusRequest;
import run.weft.v1.StatusResponse;
import run.weft.v1.UpdateRequest;
import run.weft.v1.UpdateResponse;

/**
 * Talks to one address of a weft cluster, in one namespace. Safe for use by several threads.
 *
 * <p>Requests that are safe to repeat are repeated a few times while the server can't be reached; changes carry a request ID, so that a
 * repeated one is applied once. Deploys and calls of functions are never repeated. All methods throw {@link WeftException} for what
 * the server refuses.
 */
public final class WeftClient implements AutoCloseable {
  /** The namespace of a client that names none. */
  public static final String DEFAULT_NAMESPACE = "default";

  /** Bounds a request to weft's own API. Deploys, logs and calls of functions have no bound of the client's own. */
  public static final java.time.Duration DEFAULT_TIMEOUT = java.time.Duration.ofSeconds(30);

  private final ManagedChannel connection;
  private final Channel channel; // with the token
  private final String namespace;
  private final java.time.Duration timeout; // null for none
  private final boolean timeoutForAll; // it was asked for, so it bounds deploys and logs as well

  private WeftClient(
      ManagedChannel connection, Channel channel, String namespace, java.time.Duration timeout, boolean timeoutForAll) {
    this.connection = connection;
    this.channel = channel;
    this.namespace = namespace;
    this.timeout = timeout;
    this.timeoutForAll = timeoutForAll;
  }

  /** A client of the server at an address, a host and port or any target that gRPC accepts, with the defaults. */
  public static WeftClient connect(String address) {
    return builder(address).build();
  }

  /** Begins a client of the server at an address. */
  public static Builder builder(String address) {
    return new Builder(address);
  }

  /** Closes the connection; what is under way fails. */
  @Override
  public void close() {
    connection.shutdownNow();
  }

  /** The same client, whose requests, deploys and logs included, fail with DEADLINE_EXCEEDED after a time. It shares the connection. */
  public WeftClient withTimeout(java.time.Duration limit) {
    return new WeftClient(connection, channel, namespace, limit, true);
  }

  /** The namespace of all requests and calls. */
  public String namespace() {
    return namespace;
  }

  /** The channel for generated stubs, in the client's namespace. {@link WeftException#of} understands the exceptions of its calls. */
  public Channel channel() {
    return channel(new Target(null, null));
  }

  /** The channel for stubs whose calls somebody else answers than the current revision of the service's owner. */
  public Channel channel(Target target) {
    Metadata headers = new Metadata();
    if (!namespace.equals(DEFAULT_NAMESPACE)) {
      headers.put(Metadata.Key.of("weft-namespace", Metadata.ASCII_STRING_MARSHALLER), namespace);
    }
    target.addTo(headers);
    return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /**
   * Makes a revision of a function from a component. Of the spec only the name is needed. {@code progress} is told the number of
   * bytes sent so far, by this thread. Returns once the revision is committed and, up to the spec's wait, ready.
   */
  public DeployResponse deploy(Path component, DeploySpec spec, LongConsumer progress) throws IOException {
    try (InputStream in = Files.newInputStream(component)) {
      return deploy(in, sized(spec, Files.size(component)), progress);
    }
  }

  /** Makes a revision of a function from a component's file. */
  public DeployResponse deploy(Path component, DeploySpec spec) throws IOException {
    return deploy(component, spec, sent -> {});
  }

  /** Makes a revision of a function from the bytes of a component, which it reads to their end and does not close. */
  public DeployResponse deploy(InputStream component, DeploySpec spec, LongConsumer progress) throws IOException {
    return Upload.send(
        any(FunctionServiceGrpc.newBlockingV2Stub(channel)).deploy(),
        filled(spec),
        component,
        first -> DeployRequest.newBuilder().setSpec(first).build(),
        chunk -> DeployRequest.newBuilder().setChunk(chunk).build(),
        progress);
  }

  /** Compares a component with the stored contracts. It takes what deploy takes and changes nothing. */
  public DiffResponse diff(Path component, DeploySpec spec) throws IOException {
    try (InputStream in = Files.newInputStream(component)) {
      return Upload.send(
          any(FunctionServiceGrpc.newBlockingV2Stub(channel)).diff(),
          filled(sized(spec, Files.size(component))),
          in,
          first -> DiffRequest.newBuilder().setSpec(first).build(),
          chunk -> DiffRequest.newBuilder().setChunk(chunk).build(),
          sent -> {});
    }
  }

  /** Makes a revision with other limits, environment or scheduling. What the request does not set stays. */
  public UpdateResponse update(UpdateRequest request) {
    UpdateRequest.Builder full = request.toBuilder();
    if (full.getNamespace().isEmpty()) {
      full.setNamespace(namespace);
    }
    if (full.getRequestId().isEmpty()) {
      full.setRequestId(unique());
    }
    return answer(() -> functions().update(full.build()));
  }

  /**
   * Describes a function. The answer shows every change acknowledged before; where no leader is found within 2 s, it is what the node
   * knows. Its freshness tells which.
   */
  public GetResponse get(String name) {
    return get(name, Consistency.CONSISTENCY_UNSPECIFIED);
  }

  /** Describes a function, as fresh as is asked for. */
  public GetResponse get(String name, Consistency consistency) {
    GetRequest request =
        GetRequest.newBuilder().setNamespace(namespace).setName(name).setConsistency(consistency).build();
    return answer(() -> functions().get(request));
  }

  /** Tells of all functions of the namespace, ordered by name, as fresh as get. */
  public ListResponse list() {
    return list(Consistency.CONSISTENCY_UNSPECIFIED);
  }

  /** Tells of all functions of the namespace, as fresh as is asked for. */
  public ListResponse list(Consistency consistency) {
    ListRequest request = ListRequest.newBuilder().setNamespace(namespace).setConsistency(consistency).build();
    return answer(() -> functions().list(request));
  }

  /** Makes a function the owner of a service and returns the owner before, empty if there was none. */
  public String route(String service, String function) {
    RouteRequest request =
        RouteRequest.newBuilder()
            .setNamespace(namespace)
            .setService(service)
            .setName(function)
            .setRequestId(unique())
            .build();
    return answer(() -> functions().route(request)).getPrevious();
  }

  /** Removes a function with all its revisions and returns how many there were. Its contracts stay. */
  public int delete(String name) {
    DeleteRequest request =
        DeleteRequest.newBuilder().setNamespace(namespace).setName(name).setRequestId(unique()).build();
    return answer(() -> functions().delete(request)).getRevisions();
  }

  /** Drops the contract of a proto package that no function uses. */
  public void forget(String pkg) {
    ForgetRequest request =
        ForgetRequest.newBuilder().setNamespace(namespace).setPackage(pkg).setRequestId(unique()).build();
    answer(() -> functions().forget(request));
  }

  /** Sets a secret of the namespace, which functions read through wasi:config, and returns its version. Nothing gives it back. */
  public long setSecret(String key, String value) {
    return setSecret(key, value, "");
  }

  /** Sets a secret that only one function may read, which sees it rather than the namespace's, and returns its version. */
  public long setSecret(String key, String value, String function) {
    SetSecretRequest request =
        SetSecretRequest.newBuilder()
            .setNamespace(namespace)
            .setFunction(function)
            .setKey(key)
            .setValue(ByteString.copyFromUtf8(value))
            .setRequestId(unique())
            .build();
    return answer(() -> secretService().setSecret(request)).getVersion();
  }

  /** Tells of the secrets of the namespace and its functions, and not what they are, as fresh as get. */
  public ListSecretsResponse secrets() {
    ListSecretsRequest request = ListSecretsRequest.newBuilder().setNamespace(namespace).build();
    return answer(() -> secretService().listSecrets(request));
  }

  /** Deletes a secret of the namespace. */
  public void deleteSecret(String key) {
    deleteSecret(key, "");
  }

  /** Deletes a secret of a function. */
  public void deleteSecret(String key, String function) {
    DeleteSecretRequest request =
        DeleteSecretRequest.newBuilder()
            .setNamespace(namespace)
            .setFunction(function)
            .setKey(key)
            .setRequestId(unique())
            .build();
    answer(() -> secretService().deleteSecret(request));
  }

  /** The contracts that a function uses with all the files they import; of the whole namespace, if the name is empty. */
  public SchemaResponse schema(String name) {
    SchemaRequest request = SchemaRequest.newBuilder().setNamespace(namespace).setName(name).build();
    return answer(() -> functions().schema(request));
  }

  /** Reads all lines of a function's log that are kept, oldest first. */
  public Logs logs(String name) {
    return logs(LogsRequest.newBuilder().setName(name).build());
  }

  /** Reads the log of a function and goes on with new lines as they come, until it is closed. */
  public Logs followLogs(String name) {
    return logs(LogsRequest.newBuilder().setName(name).setFollow(true).build());
  }

  /** Reads a log as the request says. */
  public Logs logs(LogsRequest request) {
    LogsRequest full = request.getNamespace().isEmpty() ? request.toBuilder().setNamespace(namespace).build() : request;
    return new Logs(any(FunctionServiceGrpc.newBlockingV2Stub(channel)).logs(full));
  }

  /** Tells of the node that answers. */
  public StatusResponse status() {
    return answer(() -> nodeService(java.time.Duration.ZERO).status(StatusRequest.getDefaultInstance()));
  }

  /** Tells of every node of the cluster, ordered by name, as fresh as get. */
  public ListNodesResponse nodes() {
    return answer(() -> nodeService(java.time.Duration.ZERO).listNodes(ListNodesRequest.getDefaultInstance()));
  }

  /**
   * Moves everything off a node, named by name or ID, and keeps it empty. It waits for that as long as wait says; the answer tells how
   * much is left.
   */
  public DrainResponse drain(String node, java.time.Duration wait) {
    Duration limit = Duration.newBuilder().setSeconds(wait.getSeconds()).setNanos(wait.getNano()).build();
    DrainRequest request = DrainRequest.newBuilder().setNode(node).setWait(limit).setRequestId(unique()).build();
    return answer(() -> nodeService(wait).drain(request));
  }

  /** Lets placements come back to a node. */
  public DrainResponse undrain(String node) {
    DrainRequest request = DrainRequest.newBuilder().setNode(node).setUndo(true).setRequestId(unique()).build();
    return answer(() -> nodeService(java.time.Duration.ZERO).drain(request));
  }

  private FunctionServiceGrpc.FunctionServiceBlockingStub functions() {
    return bound(FunctionServiceGrpc.newBlockingStub(channel), java.time.Duration.ZERO);
  }

  private SecretServiceGrpc.SecretServiceBlockingStub secretService() {
    return bound(SecretServiceGrpc.newBlockingStub(channel), java.time.Duration.ZERO);
  }

  /** The service of nodes, for a request that asks the server to wait first. */
  private NodeServiceGrpc.NodeServiceBlockingStub nodeService(java.time.Duration wait) {
    return bound(NodeServiceGrpc.newBlockingStub(channel), wait);
  }

  private <S extends AbstractStub<S>> S bound(S stub, java.time.Duration wait) {
    if (timeout == null) {
      return stub;
    }
    java.time.Duration limit = timeoutForAll ? timeout : timeout.plus(wait);
    return stub.withDeadlineAfter(limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** A stub for what the client's default does not bound. */
  private <S extends AbstractStub<S>> S any(S stub) {
    return timeoutForAll ? bound(stub, java.time.Duration.ZERO) : stub;
  }

  private DeploySpec filled(DeploySpec spec) {
    DeploySpec.Builder full = spec.toBuilder();
    if (full.getNamespace().isEmpty()) {
      full.setNamespace(namespace);
    }
    if (full.getRequestId().isEmpty()) {
      full.setRequestId(unique());
    }
    return full.build();
  }

  private static DeploySpec sized(DeploySpec spec, long size) {
    return spec.getSize() == 0 ? spec.toBuilder().setSize(size).build() : spec;
  }

  private static String unique() {
    return UUID.randomUUID().toString();
  }

  private static <R> R answer(Supplier<R> call) {
    try {
      return call.get();
    } catch (StatusRuntimeException e) {
      throw WeftException.of(e);
    }
  }

  /** Says how to connect. */
  public static final class Builder {
    private final String address;
    private String namespace = DEFAULT_NAMESPACE;
    private java.time.Duration timeout = DEFAULT_TIMEOUT;
    private Retry retry = Retry.DEFAULT;
    private ChannelCredentials credentials;
    private String token;
    private String authority;

    private Builder(String address) {
      this.address = address;
    }

    /** Sets the namespace of all requests and calls. */
    public Builder namespace(String name) {
      this.namespace = name;
      return this;
    }

    /** Connects with TLS and trusts the certificates that Java does. */
    public Builder tls() {
      return tls(TlsChannelCredentials.create());
    }

    /** Connects with TLS: {@code TlsChannelCredentials.newBuilder().trustManager(caFile).keyManager(certificate, key).build()}. */
    public Builder tls(ChannelCredentials given) {
      this.credentials = given;
      return this;
    }

    /** The name that the server's certificate must have, where it is not the address's host. */
    public Builder serverName(String name) {
      this.authority = name;
      return this;
    }

    /** Sends a token with every request, as its authorization. Over plain text it goes only to this machine. */
    public Builder token(String secret) {
      this.token = secret;
      return this;
    }

    /** Replaces {@link #DEFAULT_TIMEOUT}. Null means no bound. */
    public Builder timeout(java.time.Duration limit) {
      this.timeout = limit;
      return this;
    }

    /** Replaces {@link Retry#DEFAULT}. Null means never. */
    public Builder retry(Retry policy) {
      this.retry = policy;
      return this;
    }

    /**
     * Makes the client. It does not wait for the server: the first request does. Close it after use.
     *
     * @throws IllegalArgumentException if the address is none, or a token would go elsewhere in plain text
     */
    public WeftClient build() {
      Address.check(address);
      if (token != null && credentials == null && !Address.isLocal(address)) {
        throw new IllegalArgumentException("weft: a token would go to " + address + " in plain text; connect with tls");
      }
      ManagedChannelBuilder<?> builder =
          Grpc.newChannelBuilder(address, credentials == null ? InsecureChannelCredentials.create() : credentials)
              .maxInboundMessageSize(Integer.MAX_VALUE);
      if (authority != null) {
        builder.overrideAuthority(authority);
      }
      if (retry == null) {
        builder.disableRetry();
      } else {
        builder.enableRetry().defaultServiceConfig(retry.serviceConfig());
      }
      ManagedChannel connection = builder.build();
      Channel channel = connection;
      if (token != null) {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        channel = ClientInterceptors.intercept(connection, MetadataUtils.newAttachHeadersInterceptor(headers));
      }
      return new WeftClient(connection, channel, namespace, timeout, false);
    }
  }
}
