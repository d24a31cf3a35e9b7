package run.weft.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * NodeService tells about the nodes of the cluster and changes who belongs to it. Errors are as in FunctionService;
 * further reasons:
 *   LAST_SCHEDULER   the node is the only scheduler that is left
 *   ARTIFACT_MISSING no node that can be reached has a component that is to be backed up
 *   QUORUM           too few of the schedulers that would be left are alive to go on
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class NodeServiceGrpc {

  private NodeServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "weft.v1.NodeService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<run.weft.v1.StatusRequest,
      run.weft.v1.StatusResponse> getStatusMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Status",
      requestType = run.weft.v1.StatusRequest.class,
      responseType = run.weft.v1.StatusResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.StatusRequest,
      run.weft.v1.StatusResponse> getStatusMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.StatusRequest, run.weft.v1.StatusResponse> getStatusMethod;
    if ((getStatusMethod = NodeServiceGrpc.getStatusMethod) == null) {
      synchronized (NodeServiceGrpc.class) {
        if ((getStatusMethod = NodeServiceGrpc.getStatusMethod) == null) {
          NodeServiceGrpc.getStatusMethod = getStatusMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.StatusRequest, run.weft.v1.StatusResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Status"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.StatusRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.StatusResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodeServiceMethodDescriptorSupplier("Status"))
              .build();
        }
      }
    }
    return getStatusMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.ListNodesRequest,
      run.weft.v1.ListNodesResponse> getListNodesMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListNodes",
      requestType = run.weft.v1.ListNodesRequest.class,
      responseType = run.weft.v1.ListNodesResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.ListNodesRequest,
      run.weft.v1.ListNodesResponse> getListNodesMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.ListNodesRequest, run.weft.v1.ListNodesResponse> getListNodesMethod;
    if ((getListNodesMethod = NodeServiceGrpc.getListNodesMethod) == null) {
      synchronized (NodeServiceGrpc.class) {
        if ((getListNodesMethod = NodeServiceGrpc.getListNodesMethod) == null) {
          NodeServiceGrpc.getListNodesMethod = getListNodesMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.ListNodesRequest, run.weft.v1.ListNodesResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListNodes"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.ListNodesRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.ListNodesResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodeServiceMethodDescriptorSupplier("ListNodes"))
              .build();
        }
      }
    }
    return getListNodesMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.DrainRequest,
      run.weft.v1.DrainResponse> getDrainMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Drain",
      requestType = run.weft.v1.DrainRequest.class,
      responseType = run.weft.v1.DrainResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.DrainRequest,
      run.weft.v1.DrainResponse> getDrainMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.DrainRequest, run.weft.v1.DrainResponse> getDrainMethod;
    if ((getDrainMethod = NodeServiceGrpc.getDrainMethod) == null) {
      synchronized (NodeServiceGrpc.class) {
        if ((getDrainMethod = NodeServiceGrpc.getDrainMethod) == null) {
          NodeServiceGrpc.getDrainMethod = getDrainMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.DrainRequest, run.weft.v1.DrainResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Drain"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.DrainRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.DrainResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodeServiceMethodDescriptorSupplier("Drain"))
              .build();
        }
      }
    }
    return getDrainMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.RemoveRequest,
      run.weft.v1.RemoveResponse> getRemoveMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Remove",
      requestType = run.weft.v1.RemoveRequest.class,
      responseType = run.weft.v1.RemoveResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.RemoveRequest,
      run.weft.v1.RemoveResponse> getRemoveMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.RemoveRequest, run.weft.v1.RemoveResponse> getRemoveMethod;
    if ((getRemoveMethod = NodeServiceGrpc.getRemoveMethod) == null) {
      synchronized (NodeServiceGrpc.class) {
        if ((getRemoveMethod = NodeServiceGrpc.getRemoveMethod) == null) {
          NodeServiceGrpc.getRemoveMethod = getRemoveMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.RemoveRequest, run.weft.v1.RemoveResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Remove"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.RemoveRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.RemoveResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodeServiceMethodDescriptorSupplier("Remove"))
              .build();
        }
      }
    }
    return getRemoveMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.CreateTokenRequest,
      run.weft.v1.CreateTokenResponse> getCreateTokenMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreateToken",
      requestType = run.weft.v1.CreateTokenRequest.class,
      responseType = run.weft.v1.CreateTokenResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.CreateTokenRequest,
      run.weft.v1.CreateTokenResponse> getCreateTokenMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.CreateTokenRequest, run.weft.v1.CreateTokenResponse> getCreateTokenMethod;
    if ((getCreateTokenMethod = NodeServiceGrpc.getCreateTokenMethod) == null) {
      synchronized (NodeServiceGrpc.class) {
        if ((getCreateTokenMethod = NodeServiceGrpc.getCreateTokenMethod) == null) {
          NodeServiceGrpc.getCreateTokenMethod = getCreateTokenMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.CreateTokenRequest, run.weft.v1.CreateTokenResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreateToken"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.CreateTokenRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.CreateTokenResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodeServiceMethodDescriptorSupplier("CreateToken"))
              .build();
        }
      }
    }
    return getCreateTokenMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.RevokeTokenRequest,
      run.weft.v1.RevokeTokenResponse> getRevokeTokenMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "RevokeToken",
      requestType = run.weft.v1.RevokeTokenRequest.class,
      responseType = run.weft.v1.RevokeTokenResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.RevokeTokenRequest,
      run.weft.v1.RevokeTokenResponse> getRevokeTokenMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.RevokeTokenRequest, run.weft.v1.RevokeTokenResponse> getRevokeTokenMethod;
    if ((getRevokeTokenMethod = NodeServiceGrpc.getRevokeTokenMethod) == null) {
      synchronized (NodeServiceGrpc.class) {
        if ((getRevokeTokenMethod = NodeServiceGrpc.getRevokeTokenMethod) == null) {
          NodeServiceGrpc.getRevokeTokenMethod = getRevokeTokenMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.RevokeTokenRequest, run.weft.v1.RevokeTokenResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "RevokeToken"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.RevokeTokenRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.RevokeTokenResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodeServiceMethodDescriptorSupplier("RevokeToken"))
              .build();
        }
      }
    }
    return getRevokeTokenMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.BackupRequest,
      run.weft.v1.BackupResponse> getBackupMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Backup",
      requestType = run.weft.v1.BackupRequest.class,
      responseType = run.weft.v1.BackupResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<run.weft.v1.BackupRequest,
      run.weft.v1.BackupResponse> getBackupMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.BackupRequest, run.weft.v1.BackupResponse> getBackupMethod;
    if ((getBackupMethod = NodeServiceGrpc.getBackupMethod) == null) {
      synchronized (NodeServiceGrpc.class) {
        if ((getBackupMethod = NodeServiceGrpc.getBackupMethod) == null) {
          NodeServiceGrpc.getBackupMethod = getBackupMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.BackupRequest, run.weft.v1.BackupResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Backup"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.BackupRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.BackupResponse.getDefaultInstance()))
              .setSchemaDescriptor(new NodeServiceMethodDescriptorSupplier("Backup"))
              .build();
        }
      }
    }
    return getBackupMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static NodeServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<NodeServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<NodeServiceStub>() {
        @java.lang.Override
        public NodeServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new NodeServiceStub(channel, callOptions);
        }
      };
    return NodeServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static NodeServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<NodeServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<NodeServiceBlockingV2Stub>() {
        @java.lang.Override
        public NodeServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new NodeServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return NodeServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static NodeServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<NodeServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<NodeServiceBlockingStub>() {
        @java.lang.Override
        public NodeServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new NodeServiceBlockingStub(channel, callOptions);
        }
      };
    return NodeServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static NodeServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<NodeServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<NodeServiceFutureStub>() {
        @java.lang.Override
        public NodeServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new NodeServiceFutureStub(channel, callOptions);
        }
      };
    return NodeServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * NodeService tells about the nodes of the cluster and changes who belongs to it. Errors are as in FunctionService;
   * further reasons:
   *   LAST_SCHEDULER   the node is the only scheduler that is left
   *   ARTIFACT_MISSING no node that can be reached has a component that is to be backed up
   *   QUORUM           too few of the schedulers that would be left are alive to go on
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Status tells of the node that answers, from what it knows itself.
     * </pre>
     */
    default void status(run.weft.v1.StatusRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.StatusResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getStatusMethod(), responseObserver);
    }

    /**
     * <pre>
     * ListNodes tells of every node of the cluster, ordered by name.
     * </pre>
     */
    default void listNodes(run.weft.v1.ListNodesRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.ListNodesResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListNodesMethod(), responseObserver);
    }

    /**
     * <pre>
     * Drain moves everything off a node, or lets placements come back to it. With wait, the answer comes when the node has
     * none left.
     * </pre>
     */
    default void drain(run.weft.v1.DrainRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.DrainResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDrainMethod(), responseObserver);
    }

    /**
     * <pre>
     * Remove takes a node out of the cluster for good: its certificate is worth nothing afterwards.
     * </pre>
     */
    default void remove(run.weft.v1.RemoveRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.RemoveResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRemoveMethod(), responseObserver);
    }

    /**
     * <pre>
     * CreateToken makes a token that lets nodes join. A repeated request makes another token: the first, whose secret
     * nobody has seen, runs out.
     * </pre>
     */
    default void createToken(run.weft.v1.CreateTokenRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.CreateTokenResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreateTokenMethod(), responseObserver);
    }

    /**
     * <pre>
     * RevokeToken makes a token worthless.
     * </pre>
     */
    default void revokeToken(run.weft.v1.RevokeTokenRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.RevokeTokenResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRevokeTokenMethod(), responseObserver);
    }

    /**
     * <pre>
     * Backup streams the catalog and every artifact that it names as one file.
     * </pre>
     */
    default void backup(run.weft.v1.BackupRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.BackupResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getBackupMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service NodeService.
   * <pre>
   * NodeService tells about the nodes of the cluster and changes who belongs to it. Errors are as in FunctionService;
   * further reasons:
   *   LAST_SCHEDULER   the node is the only scheduler that is left
   *   ARTIFACT_MISSING no node that can be reached has a component that is to be backed up
   *   QUORUM           too few of the schedulers that would be left are alive to go on
   * </pre>
   */
  public static abstract class NodeServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return NodeServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service NodeService.
   * <pre>
   * NodeService tells about the nodes of the cluster and changes who belongs to it. Errors are as in FunctionService;
   * further reasons:
   *   LAST_SCHEDULER   the node is the only scheduler that is left
   *   ARTIFACT_MISSING no node that can be reached has a component that is to be backed up
   *   QUORUM           too few of the schedulers that would be left are alive to go on
   * </pre>
   */
  public static final class NodeServiceStub
      extends io.grpc.stub.AbstractAsyncStub<NodeServiceStub> {
    private NodeServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected NodeServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new NodeServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Status tells of the node that answers, from what it knows itself.
     * </pre>
     */
    public void status(run.weft.v1.StatusRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.StatusResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getStatusMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * ListNodes tells of every node of the cluster, ordered by name.
     * </pre>
     */
    public void listNodes(run.weft.v1.ListNodesRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.ListNodesResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListNodesMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Drain moves everything off a node, or lets placements come back to it. With wait, the answer comes when the node has
     * none left.
     * </pre>
     */
    public void drain(run.weft.v1.DrainRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.DrainResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDrainMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Remove takes a node out of the cluster for good: its certificate is worth nothing afterwards.
     * </pre>
     */
    public void remove(run.weft.v1.RemoveRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.RemoveResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRemoveMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * CreateToken makes a token that lets nodes join. A repeated request makes another token: the first, whose secret
     * nobody has seen, runs out.
     * </pre>
     */
    public void createToken(run.weft.v1.CreateTokenRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.CreateTokenResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreateTokenMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * RevokeToken makes a token worthless.
     * </pre>
     */
    public void revokeToken(run.weft.v1.RevokeTokenRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.RevokeTokenResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRevokeTokenMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Backup streams the catalog and every artifact that it names as one file.
     * </pre>
     */
    public void backup(run.weft.v1.BackupRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.BackupResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getBackupMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service NodeService.
   * <pre>
   * NodeService tells about the nodes of the cluster and changes who belongs to it. Errors are as in FunctionService;
   * further reasons:
   *   LAST_SCHEDULER   the node is the only scheduler that is left
   *   ARTIFACT_MISSING no node that can be reached has a component that is to be backed up
   *   QUORUM           too few of the schedulers that would be left are alive to go on
   * </pre>
   */
  public static final class NodeServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<NodeServiceBlockingV2Stub> {
    private NodeServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected NodeServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new NodeServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Status tells of the node that answers, from what it knows itself.
     * </pre>
     */
    public run.weft.v1.StatusResponse status(run.weft.v1.StatusRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getStatusMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListNodes tells of every node of the cluster, ordered by name.
     * </pre>
     */
    public run.weft.v1.ListNodesResponse listNodes(run.weft.v1.ListNodesRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListNodesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Drain moves everything off a node, or lets placements come back to it. With wait, the answer comes when the node has
     * none left.
     * </pre>
     */
    public run.weft.v1.DrainResponse drain(run.weft.v1.DrainRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDrainMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Remove takes a node out of the cluster for good: its certificate is worth nothing afterwards.
     * </pre>
     */
    public run.weft.v1.RemoveResponse remove(run.weft.v1.RemoveRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRemoveMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CreateToken makes a token that lets nodes join. A repeated request makes another token: the first, whose secret
     * nobody has seen, runs out.
     * </pre>
     */
    public run.weft.v1.CreateTokenResponse createToken(run.weft.v1.CreateTokenRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCreateTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * RevokeToken makes a token worthless.
     * </pre>
     */
    public run.weft.v1.RevokeTokenResponse revokeToken(run.weft.v1.RevokeTokenRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRevokeTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Backup streams the catalog and every artifact that it names as one file.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, run.weft.v1.BackupResponse>
        backup(run.weft.v1.BackupRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getBackupMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service NodeService.
   * <pre>
   * NodeService tells about the nodes of the cluster and changes who belongs to it. Errors are as in FunctionService;
   * further reasons:
   *   LAST_SCHEDULER   the node is the only scheduler that is left
   *   ARTIFACT_MISSING no node that can be reached has a component that is to be backed up
   *   QUORUM           too few of the schedulers that would be left are alive to go on
   * </pre>
   */
  public static final class NodeServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<NodeServiceBlockingStub> {
    private NodeServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected NodeServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new NodeServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Status tells of the node that answers, from what it knows itself.
     * </pre>
     */
    public run.weft.v1.StatusResponse status(run.weft.v1.StatusRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getStatusMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * ListNodes tells of every node of the cluster, ordered by name.
     * </pre>
     */
    public run.weft.v1.ListNodesResponse listNodes(run.weft.v1.ListNodesRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListNodesMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Drain moves everything off a node, or lets placements come back to it. With wait, the answer comes when the node has
     * none left.
     * </pre>
     */
    public run.weft.v1.DrainResponse drain(run.weft.v1.DrainRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDrainMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Remove takes a node out of the cluster for good: its certificate is worth nothing afterwards.
     * </pre>
     */
    public run.weft.v1.RemoveResponse remove(run.weft.v1.RemoveRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRemoveMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * CreateToken makes a token that lets nodes join. A repeated request makes another token: the first, whose secret
     * nobody has seen, runs out.
     * </pre>
     */
    public run.weft.v1.CreateTokenResponse createToken(run.weft.v1.CreateTokenRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreateTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * RevokeToken makes a token worthless.
     * </pre>
     */
    public run.weft.v1.RevokeTokenResponse revokeToken(run.weft.v1.RevokeTokenRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRevokeTokenMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Backup streams the catalog and every artifact that it names as one file.
     * </pre>
     */
    public java.util.Iterator<run.weft.v1.BackupResponse> backup(
        run.weft.v1.BackupRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getBackupMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service NodeService.
   * <pre>
   * NodeService tells about the nodes of the cluster and changes who belongs to it. Errors are as in FunctionService;
   * further reasons:
   *   LAST_SCHEDULER   the node is the only scheduler that is left
   *   ARTIFACT_MISSING no node that can be reached has a component that is to be backed up
   *   QUORUM           too few of the schedulers that would be left are alive to go on
   * </pre>
   */
  public static final class NodeServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<NodeServiceFutureStub> {
    private NodeServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected NodeServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new NodeServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Status tells of the node that answers, from what it knows itself.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.StatusResponse> status(
        run.weft.v1.StatusRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getStatusMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * ListNodes tells of every node of the cluster, ordered by name.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.ListNodesResponse> listNodes(
        run.weft.v1.ListNodesRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListNodesMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Drain moves everything off a node, or lets placements come back to it. With wait, the answer comes when the node has
     * none left.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.DrainResponse> drain(
        run.weft.v1.DrainRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDrainMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Remove takes a node out of the cluster for good: its certificate is worth nothing afterwards.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.RemoveResponse> remove(
        run.weft.v1.RemoveRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRemoveMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * CreateToken makes a token that lets nodes join. A repeated request makes another token: the first, whose secret
     * nobody has seen, runs out.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.CreateTokenResponse> createToken(
        run.weft.v1.CreateTokenRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreateTokenMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * RevokeToken makes a token worthless.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.RevokeTokenResponse> revokeToken(
        run.weft.v1.RevokeTokenRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRevokeTokenMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_STATUS = 0;
  private static final int METHODID_LIST_NODES = 1;
  private static final int METHODID_DRAIN = 2;
  private static final int METHODID_REMOVE = 3;
  private static final int METHODID_CREATE_TOKEN = 4;
  private static final int METHODID_REVOKE_TOKEN = 5;
  private static final int METHODID_BACKUP = 6;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_STATUS:
          serviceImpl.status((run.weft.v1.StatusRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.StatusResponse>) responseObserver);
          break;
        case METHODID_LIST_NODES:
          serviceImpl.listNodes((run.weft.v1.ListNodesRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.ListNodesResponse>) responseObserver);
          break;
        case METHODID_DRAIN:
          serviceImpl.drain((run.weft.v1.DrainRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.DrainResponse>) responseObserver);
          break;
        case METHODID_REMOVE:
          serviceImpl.remove((run.weft.v1.RemoveRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.RemoveResponse>) responseObserver);
          break;
        case METHODID_CREATE_TOKEN:
          serviceImpl.createToken((run.weft.v1.CreateTokenRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.CreateTokenResponse>) responseObserver);
          break;
        case METHODID_REVOKE_TOKEN:
          serviceImpl.revokeToken((run.weft.v1.RevokeTokenRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.RevokeTokenResponse>) responseObserver);
          break;
        case METHODID_BACKUP:
          serviceImpl.backup((run.weft.v1.BackupRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.BackupResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getStatusMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.StatusRequest,
              run.weft.v1.StatusResponse>(
                service, METHODID_STATUS)))
        .addMethod(
          getListNodesMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.ListNodesRequest,
              run.weft.v1.ListNodesResponse>(
                service, METHODID_LIST_NODES)))
        .addMethod(
          getDrainMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.DrainRequest,
              run.weft.v1.DrainResponse>(
                service, METHODID_DRAIN)))
        .addMethod(
          getRemoveMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.RemoveRequest,
              run.weft.v1.RemoveResponse>(
                service, METHODID_REMOVE)))
        .addMethod(
          getCreateTokenMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.CreateTokenRequest,
              run.weft.v1.CreateTokenResponse>(
                service, METHODID_CREATE_TOKEN)))
        .addMethod(
          getRevokeTokenMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.RevokeTokenRequest,
              run.weft.v1.RevokeTokenResponse>(
                service, METHODID_REVOKE_TOKEN)))
        .addMethod(
          getBackupMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              run.weft.v1.BackupRequest,
              run.weft.v1.BackupResponse>(
                service, METHODID_BACKUP)))
        .build();
  }

  private static abstract class NodeServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    NodeServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return run.weft.v1.NodeProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("NodeService");
    }
  }

  private static final class NodeServiceFileDescriptorSupplier
      extends NodeServiceBaseDescriptorSupplier {
    NodeServiceFileDescriptorSupplier() {}
  }

  private static final class NodeServiceMethodDescriptorSupplier
      extends NodeServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    NodeServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (NodeServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new NodeServiceFileDescriptorSupplier())
              .addMethod(getStatusMethod())
              .addMethod(getListNodesMethod())
              .addMethod(getDrainMethod())
              .addMethod(getRemoveMethod())
              .addMethod(getCreateTokenMethod())
              .addMethod(getRevokeTokenMethod())
              .addMethod(getBackupMethod())
              .build();
        }
      }
    }
    return result;
  }
}
