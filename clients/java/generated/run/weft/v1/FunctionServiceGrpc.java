package run.weft.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * FunctionService deploys functions and tells about them.
 * Every request names a namespace; empty means "default". Errors carry google.rpc.ErrorInfo with domain "weft" and one
 * of these reasons:
 *   INVALID_REQUEST        a name, limit or other value of the request is not allowed
 *   NOT_WASM               the file is not WebAssembly
 *   CORE_MODULE            the file is a core module, not a component
 *   MALFORMED_COMPONENT    the component's binary is damaged
 *   TOO_LARGE              the component is over 256 MiB
 *   UNSUPPORTED            an import that nobody provides, or a type or export that weft does not serve
 *   BREAKING_CHANGE        callers would break; each weft.v1.Change is a detail of the status
 *   COMPILE_FAILED         the component does not compile within the limits of a compile
 *   START_FAILED           no instance of the component can be made within its limits
 *   NOT_FOUND, CONFLICT, IN_USE, NOT_EXPORTED
 *                          the catalog does not allow it as it stands
 *   UNBOUND                an import has no provider, or there are several: spec.bindings names one
 *   MISMATCH               the provider of an import has other types
 *   LINK                   a provider can't be linked; without spec.link its calls go by the router
 *   NOT_ALLOWED            the nodes do not allow functions to call the host
 *   CYCLE                  functions would call one another in circles
 *   LEVEL                  a node of the cluster is too old for it
 *   NOT_REPLICATED         too few schedulers can be given the component; nothing was changed
 *   NO_COMPONENT           no node that has the component can be reached
 *   NO_LEADER              nobody leads the cluster at the moment; nothing was changed
 *   OUTCOME_UNKNOWN        the leader was lost meanwhile; repeat the request with the same request_id
 *   DISK_FULL              the node can't store the component
 *   DAMAGED                this node's log can't be applied any further, so it can neither write nor tell what is newest
 *   IDLE                   the upload stood still for a minute
 *   CLOSING                the node is shutting down
 *   INTERNAL               a fault of weft or of its machine
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class FunctionServiceGrpc {

  private FunctionServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "weft.v1.FunctionService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<run.weft.v1.DeployRequest,
      run.weft.v1.DeployResponse> getDeployMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Deploy",
      requestType = run.weft.v1.DeployRequest.class,
      responseType = run.weft.v1.DeployResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
  public static io.grpc.MethodDescriptor<run.weft.v1.DeployRequest,
      run.weft.v1.DeployResponse> getDeployMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.DeployRequest, run.weft.v1.DeployResponse> getDeployMethod;
    if ((getDeployMethod = FunctionServiceGrpc.getDeployMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getDeployMethod = FunctionServiceGrpc.getDeployMethod) == null) {
          FunctionServiceGrpc.getDeployMethod = getDeployMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.DeployRequest, run.weft.v1.DeployResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Deploy"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.DeployRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.DeployResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("Deploy"))
              .build();
        }
      }
    }
    return getDeployMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.UpdateRequest,
      run.weft.v1.UpdateResponse> getUpdateMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Update",
      requestType = run.weft.v1.UpdateRequest.class,
      responseType = run.weft.v1.UpdateResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.UpdateRequest,
      run.weft.v1.UpdateResponse> getUpdateMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.UpdateRequest, run.weft.v1.UpdateResponse> getUpdateMethod;
    if ((getUpdateMethod = FunctionServiceGrpc.getUpdateMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getUpdateMethod = FunctionServiceGrpc.getUpdateMethod) == null) {
          FunctionServiceGrpc.getUpdateMethod = getUpdateMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.UpdateRequest, run.weft.v1.UpdateResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Update"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.UpdateRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.UpdateResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("Update"))
              .build();
        }
      }
    }
    return getUpdateMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.GetRequest,
      run.weft.v1.GetResponse> getGetMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Get",
      requestType = run.weft.v1.GetRequest.class,
      responseType = run.weft.v1.GetResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.GetRequest,
      run.weft.v1.GetResponse> getGetMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.GetRequest, run.weft.v1.GetResponse> getGetMethod;
    if ((getGetMethod = FunctionServiceGrpc.getGetMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getGetMethod = FunctionServiceGrpc.getGetMethod) == null) {
          FunctionServiceGrpc.getGetMethod = getGetMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.GetRequest, run.weft.v1.GetResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Get"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.GetRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.GetResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("Get"))
              .build();
        }
      }
    }
    return getGetMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.ListRequest,
      run.weft.v1.ListResponse> getListMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "List",
      requestType = run.weft.v1.ListRequest.class,
      responseType = run.weft.v1.ListResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.ListRequest,
      run.weft.v1.ListResponse> getListMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.ListRequest, run.weft.v1.ListResponse> getListMethod;
    if ((getListMethod = FunctionServiceGrpc.getListMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getListMethod = FunctionServiceGrpc.getListMethod) == null) {
          FunctionServiceGrpc.getListMethod = getListMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.ListRequest, run.weft.v1.ListResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "List"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.ListRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.ListResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("List"))
              .build();
        }
      }
    }
    return getListMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.RouteRequest,
      run.weft.v1.RouteResponse> getRouteMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Route",
      requestType = run.weft.v1.RouteRequest.class,
      responseType = run.weft.v1.RouteResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.RouteRequest,
      run.weft.v1.RouteResponse> getRouteMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.RouteRequest, run.weft.v1.RouteResponse> getRouteMethod;
    if ((getRouteMethod = FunctionServiceGrpc.getRouteMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getRouteMethod = FunctionServiceGrpc.getRouteMethod) == null) {
          FunctionServiceGrpc.getRouteMethod = getRouteMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.RouteRequest, run.weft.v1.RouteResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Route"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.RouteRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.RouteResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("Route"))
              .build();
        }
      }
    }
    return getRouteMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.DeleteRequest,
      run.weft.v1.DeleteResponse> getDeleteMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Delete",
      requestType = run.weft.v1.DeleteRequest.class,
      responseType = run.weft.v1.DeleteResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.DeleteRequest,
      run.weft.v1.DeleteResponse> getDeleteMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.DeleteRequest, run.weft.v1.DeleteResponse> getDeleteMethod;
    if ((getDeleteMethod = FunctionServiceGrpc.getDeleteMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getDeleteMethod = FunctionServiceGrpc.getDeleteMethod) == null) {
          FunctionServiceGrpc.getDeleteMethod = getDeleteMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.DeleteRequest, run.weft.v1.DeleteResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Delete"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.DeleteRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.DeleteResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("Delete"))
              .build();
        }
      }
    }
    return getDeleteMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.ForgetRequest,
      run.weft.v1.ForgetResponse> getForgetMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Forget",
      requestType = run.weft.v1.ForgetRequest.class,
      responseType = run.weft.v1.ForgetResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.ForgetRequest,
      run.weft.v1.ForgetResponse> getForgetMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.ForgetRequest, run.weft.v1.ForgetResponse> getForgetMethod;
    if ((getForgetMethod = FunctionServiceGrpc.getForgetMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getForgetMethod = FunctionServiceGrpc.getForgetMethod) == null) {
          FunctionServiceGrpc.getForgetMethod = getForgetMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.ForgetRequest, run.weft.v1.ForgetResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Forget"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.ForgetRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.ForgetResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("Forget"))
              .build();
        }
      }
    }
    return getForgetMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.SchemaRequest,
      run.weft.v1.SchemaResponse> getSchemaMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Schema",
      requestType = run.weft.v1.SchemaRequest.class,
      responseType = run.weft.v1.SchemaResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<run.weft.v1.SchemaRequest,
      run.weft.v1.SchemaResponse> getSchemaMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.SchemaRequest, run.weft.v1.SchemaResponse> getSchemaMethod;
    if ((getSchemaMethod = FunctionServiceGrpc.getSchemaMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getSchemaMethod = FunctionServiceGrpc.getSchemaMethod) == null) {
          FunctionServiceGrpc.getSchemaMethod = getSchemaMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.SchemaRequest, run.weft.v1.SchemaResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Schema"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.SchemaRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.SchemaResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("Schema"))
              .build();
        }
      }
    }
    return getSchemaMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.DiffRequest,
      run.weft.v1.DiffResponse> getDiffMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Diff",
      requestType = run.weft.v1.DiffRequest.class,
      responseType = run.weft.v1.DiffResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
  public static io.grpc.MethodDescriptor<run.weft.v1.DiffRequest,
      run.weft.v1.DiffResponse> getDiffMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.DiffRequest, run.weft.v1.DiffResponse> getDiffMethod;
    if ((getDiffMethod = FunctionServiceGrpc.getDiffMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getDiffMethod = FunctionServiceGrpc.getDiffMethod) == null) {
          FunctionServiceGrpc.getDiffMethod = getDiffMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.DiffRequest, run.weft.v1.DiffResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.CLIENT_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Diff"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.DiffRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.DiffResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("Diff"))
              .build();
        }
      }
    }
    return getDiffMethod;
  }

  private static volatile io.grpc.MethodDescriptor<run.weft.v1.LogsRequest,
      run.weft.v1.LogsResponse> getLogsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Logs",
      requestType = run.weft.v1.LogsRequest.class,
      responseType = run.weft.v1.LogsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<run.weft.v1.LogsRequest,
      run.weft.v1.LogsResponse> getLogsMethod() {
    io.grpc.MethodDescriptor<run.weft.v1.LogsRequest, run.weft.v1.LogsResponse> getLogsMethod;
    if ((getLogsMethod = FunctionServiceGrpc.getLogsMethod) == null) {
      synchronized (FunctionServiceGrpc.class) {
        if ((getLogsMethod = FunctionServiceGrpc.getLogsMethod) == null) {
          FunctionServiceGrpc.getLogsMethod = getLogsMethod =
              io.grpc.MethodDescriptor.<run.weft.v1.LogsRequest, run.weft.v1.LogsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Logs"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.LogsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  run.weft.v1.LogsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new FunctionServiceMethodDescriptorSupplier("Logs"))
              .build();
        }
      }
    }
    return getLogsMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static FunctionServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<FunctionServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<FunctionServiceStub>() {
        @java.lang.Override
        public FunctionServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new FunctionServiceStub(channel, callOptions);
        }
      };
    return FunctionServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static FunctionServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<FunctionServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<FunctionServiceBlockingV2Stub>() {
        @java.lang.Override
        public FunctionServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new FunctionServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return FunctionServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static FunctionServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<FunctionServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<FunctionServiceBlockingStub>() {
        @java.lang.Override
        public FunctionServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new FunctionServiceBlockingStub(channel, callOptions);
        }
      };
    return FunctionServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static FunctionServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<FunctionServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<FunctionServiceFutureStub>() {
        @java.lang.Override
        public FunctionServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new FunctionServiceFutureStub(channel, callOptions);
        }
      };
    return FunctionServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * FunctionService deploys functions and tells about them.
   * Every request names a namespace; empty means "default". Errors carry google.rpc.ErrorInfo with domain "weft" and one
   * of these reasons:
   *   INVALID_REQUEST        a name, limit or other value of the request is not allowed
   *   NOT_WASM               the file is not WebAssembly
   *   CORE_MODULE            the file is a core module, not a component
   *   MALFORMED_COMPONENT    the component's binary is damaged
   *   TOO_LARGE              the component is over 256 MiB
   *   UNSUPPORTED            an import that nobody provides, or a type or export that weft does not serve
   *   BREAKING_CHANGE        callers would break; each weft.v1.Change is a detail of the status
   *   COMPILE_FAILED         the component does not compile within the limits of a compile
   *   START_FAILED           no instance of the component can be made within its limits
   *   NOT_FOUND, CONFLICT, IN_USE, NOT_EXPORTED
   *                          the catalog does not allow it as it stands
   *   UNBOUND                an import has no provider, or there are several: spec.bindings names one
   *   MISMATCH               the provider of an import has other types
   *   LINK                   a provider can't be linked; without spec.link its calls go by the router
   *   NOT_ALLOWED            the nodes do not allow functions to call the host
   *   CYCLE                  functions would call one another in circles
   *   LEVEL                  a node of the cluster is too old for it
   *   NOT_REPLICATED         too few schedulers can be given the component; nothing was changed
   *   NO_COMPONENT           no node that has the component can be reached
   *   NO_LEADER              nobody leads the cluster at the moment; nothing was changed
   *   OUTCOME_UNKNOWN        the leader was lost meanwhile; repeat the request with the same request_id
   *   DISK_FULL              the node can't store the component
   *   DAMAGED                this node's log can't be applied any further, so it can neither write nor tell what is newest
   *   IDLE                   the upload stood still for a minute
   *   CLOSING                the node is shutting down
   *   INTERNAL               a fault of weft or of its machine
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Deploy creates a revision of a function from a component. The first message holds the spec, the following
     * ones the component's bytes in order, 1 MiB at most each. The answer comes once the revision is committed,
     * after waiting up to spec.wait for its first ready placement.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<run.weft.v1.DeployRequest> deploy(
        io.grpc.stub.StreamObserver<run.weft.v1.DeployResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getDeployMethod(), responseObserver);
    }

    /**
     * <pre>
     * Update creates a revision from the current one with other limits or environment, without the file.
     * </pre>
     */
    default void update(run.weft.v1.UpdateRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.UpdateResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getUpdateMethod(), responseObserver);
    }

    /**
     * <pre>
     * Get describes one function.
     * </pre>
     */
    default void get(run.weft.v1.GetRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.GetResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetMethod(), responseObserver);
    }

    /**
     * <pre>
     * List tells of every function of a namespace, ordered by name, in brief: of revisions the current one without its
     * bindings, of services their names and owners.
     * </pre>
     */
    default void list(run.weft.v1.ListRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.ListResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListMethod(), responseObserver);
    }

    /**
     * <pre>
     * Route makes a function the owner of a service: the one that answers when the caller names none.
     * </pre>
     */
    default void route(run.weft.v1.RouteRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.RouteResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getRouteMethod(), responseObserver);
    }

    /**
     * <pre>
     * Delete removes a function with all its revisions. Its contracts stay; see Forget.
     * </pre>
     */
    default void delete(run.weft.v1.DeleteRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.DeleteResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteMethod(), responseObserver);
    }

    /**
     * <pre>
     * Forget drops the contract of a proto package that no function uses.
     * </pre>
     */
    default void forget(run.weft.v1.ForgetRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.ForgetResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getForgetMethod(), responseObserver);
    }

    /**
     * <pre>
     * Schema returns the contracts of a function's packages and all files they import.
     * </pre>
     */
    default void schema(run.weft.v1.SchemaRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.SchemaResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getSchemaMethod(), responseObserver);
    }

    /**
     * <pre>
     * Diff compares a component with the stored contracts, without deploying it. Messages as in Deploy.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<run.weft.v1.DiffRequest> diff(
        io.grpc.stub.StreamObserver<run.weft.v1.DiffResponse> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getDiffMethod(), responseObserver);
    }

    /**
     * <pre>
     * Logs streams the log lines of a function on all nodes, oldest first.
     * </pre>
     */
    default void logs(run.weft.v1.LogsRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.LogsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getLogsMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service FunctionService.
   * <pre>
   * FunctionService deploys functions and tells about them.
   * Every request names a namespace; empty means "default". Errors carry google.rpc.ErrorInfo with domain "weft" and one
   * of these reasons:
   *   INVALID_REQUEST        a name, limit or other value of the request is not allowed
   *   NOT_WASM               the file is not WebAssembly
   *   CORE_MODULE            the file is a core module, not a component
   *   MALFORMED_COMPONENT    the component's binary is damaged
   *   TOO_LARGE              the component is over 256 MiB
   *   UNSUPPORTED            an import that nobody provides, or a type or export that weft does not serve
   *   BREAKING_CHANGE        callers would break; each weft.v1.Change is a detail of the status
   *   COMPILE_FAILED         the component does not compile within the limits of a compile
   *   START_FAILED           no instance of the component can be made within its limits
   *   NOT_FOUND, CONFLICT, IN_USE, NOT_EXPORTED
   *                          the catalog does not allow it as it stands
   *   UNBOUND                an import has no provider, or there are several: spec.bindings names one
   *   MISMATCH               the provider of an import has other types
   *   LINK                   a provider can't be linked; without spec.link its calls go by the router
   *   NOT_ALLOWED            the nodes do not allow functions to call the host
   *   CYCLE                  functions would call one another in circles
   *   LEVEL                  a node of the cluster is too old for it
   *   NOT_REPLICATED         too few schedulers can be given the component; nothing was changed
   *   NO_COMPONENT           no node that has the component can be reached
   *   NO_LEADER              nobody leads the cluster at the moment; nothing was changed
   *   OUTCOME_UNKNOWN        the leader was lost meanwhile; repeat the request with the same request_id
   *   DISK_FULL              the node can't store the component
   *   DAMAGED                this node's log can't be applied any further, so it can neither write nor tell what is newest
   *   IDLE                   the upload stood still for a minute
   *   CLOSING                the node is shutting down
   *   INTERNAL               a fault of weft or of its machine
   * </pre>
   */
  public static abstract class FunctionServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return FunctionServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service FunctionService.
   * <pre>
   * FunctionService deploys functions and tells about them.
   * Every request names a namespace; empty means "default". Errors carry google.rpc.ErrorInfo with domain "weft" and one
   * of these reasons:
   *   INVALID_REQUEST        a name, limit or other value of the request is not allowed
   *   NOT_WASM               the file is not WebAssembly
   *   CORE_MODULE            the file is a core module, not a component
   *   MALFORMED_COMPONENT    the component's binary is damaged
   *   TOO_LARGE              the component is over 256 MiB
   *   UNSUPPORTED            an import that nobody provides, or a type or export that weft does not serve
   *   BREAKING_CHANGE        callers would break; each weft.v1.Change is a detail of the status
   *   COMPILE_FAILED         the component does not compile within the limits of a compile
   *   START_FAILED           no instance of the component can be made within its limits
   *   NOT_FOUND, CONFLICT, IN_USE, NOT_EXPORTED
   *                          the catalog does not allow it as it stands
   *   UNBOUND                an import has no provider, or there are several: spec.bindings names one
   *   MISMATCH               the provider of an import has other types
   *   LINK                   a provider can't be linked; without spec.link its calls go by the router
   *   NOT_ALLOWED            the nodes do not allow functions to call the host
   *   CYCLE                  functions would call one another in circles
   *   LEVEL                  a node of the cluster is too old for it
   *   NOT_REPLICATED         too few schedulers can be given the component; nothing was changed
   *   NO_COMPONENT           no node that has the component can be reached
   *   NO_LEADER              nobody leads the cluster at the moment; nothing was changed
   *   OUTCOME_UNKNOWN        the leader was lost meanwhile; repeat the request with the same request_id
   *   DISK_FULL              the node can't store the component
   *   DAMAGED                this node's log can't be applied any further, so it can neither write nor tell what is newest
   *   IDLE                   the upload stood still for a minute
   *   CLOSING                the node is shutting down
   *   INTERNAL               a fault of weft or of its machine
   * </pre>
   */
  public static final class FunctionServiceStub
      extends io.grpc.stub.AbstractAsyncStub<FunctionServiceStub> {
    private FunctionServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected FunctionServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new FunctionServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Deploy creates a revision of a function from a component. The first message holds the spec, the following
     * ones the component's bytes in order, 1 MiB at most each. The answer comes once the revision is committed,
     * after waiting up to spec.wait for its first ready placement.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<run.weft.v1.DeployRequest> deploy(
        io.grpc.stub.StreamObserver<run.weft.v1.DeployResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncClientStreamingCall(
          getChannel().newCall(getDeployMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * Update creates a revision from the current one with other limits or environment, without the file.
     * </pre>
     */
    public void update(run.weft.v1.UpdateRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.UpdateResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getUpdateMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Get describes one function.
     * </pre>
     */
    public void get(run.weft.v1.GetRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.GetResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * List tells of every function of a namespace, ordered by name, in brief: of revisions the current one without its
     * bindings, of services their names and owners.
     * </pre>
     */
    public void list(run.weft.v1.ListRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.ListResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Route makes a function the owner of a service: the one that answers when the caller names none.
     * </pre>
     */
    public void route(run.weft.v1.RouteRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.RouteResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getRouteMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Delete removes a function with all its revisions. Its contracts stay; see Forget.
     * </pre>
     */
    public void delete(run.weft.v1.DeleteRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.DeleteResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Forget drops the contract of a proto package that no function uses.
     * </pre>
     */
    public void forget(run.weft.v1.ForgetRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.ForgetResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getForgetMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Schema returns the contracts of a function's packages and all files they import.
     * </pre>
     */
    public void schema(run.weft.v1.SchemaRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.SchemaResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getSchemaMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Diff compares a component with the stored contracts, without deploying it. Messages as in Deploy.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<run.weft.v1.DiffRequest> diff(
        io.grpc.stub.StreamObserver<run.weft.v1.DiffResponse> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncClientStreamingCall(
          getChannel().newCall(getDiffMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * Logs streams the log lines of a function on all nodes, oldest first.
     * </pre>
     */
    public void logs(run.weft.v1.LogsRequest request,
        io.grpc.stub.StreamObserver<run.weft.v1.LogsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getLogsMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service FunctionService.
   * <pre>
   * FunctionService deploys functions and tells about them.
   * Every request names a namespace; empty means "default". Errors carry google.rpc.ErrorInfo with domain "weft" and one
   * of these reasons:
   *   INVALID_REQUEST        a name, limit or other value of the request is not allowed
   *   NOT_WASM               the file is not WebAssembly
   *   CORE_MODULE            the file is a core module, not a component
   *   MALFORMED_COMPONENT    the component's binary is damaged
   *   TOO_LARGE              the component is over 256 MiB
   *   UNSUPPORTED            an import that nobody provides, or a type or export that weft does not serve
   *   BREAKING_CHANGE        callers would break; each weft.v1.Change is a detail of the status
   *   COMPILE_FAILED         the component does not compile within the limits of a compile
   *   START_FAILED           no instance of the component can be made within its limits
   *   NOT_FOUND, CONFLICT, IN_USE, NOT_EXPORTED
   *                          the catalog does not allow it as it stands
   *   UNBOUND                an import has no provider, or there are several: spec.bindings names one
   *   MISMATCH               the provider of an import has other types
   *   LINK                   a provider can't be linked; without spec.link its calls go by the router
   *   NOT_ALLOWED            the nodes do not allow functions to call the host
   *   CYCLE                  functions would call one another in circles
   *   LEVEL                  a node of the cluster is too old for it
   *   NOT_REPLICATED         too few schedulers can be given the component; nothing was changed
   *   NO_COMPONENT           no node that has the component can be reached
   *   NO_LEADER              nobody leads the cluster at the moment; nothing was changed
   *   OUTCOME_UNKNOWN        the leader was lost meanwhile; repeat the request with the same request_id
   *   DISK_FULL              the node can't store the component
   *   DAMAGED                this node's log can't be applied any further, so it can neither write nor tell what is newest
   *   IDLE                   the upload stood still for a minute
   *   CLOSING                the node is shutting down
   *   INTERNAL               a fault of weft or of its machine
   * </pre>
   */
  public static final class FunctionServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<FunctionServiceBlockingV2Stub> {
    private FunctionServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected FunctionServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new FunctionServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Deploy creates a revision of a function from a component. The first message holds the spec, the following
     * ones the component's bytes in order, 1 MiB at most each. The answer comes once the revision is committed,
     * after waiting up to spec.wait for its first ready placement.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<run.weft.v1.DeployRequest, run.weft.v1.DeployResponse>
        deploy() {
      return io.grpc.stub.ClientCalls.blockingClientStreamingCall(
          getChannel(), getDeployMethod(), getCallOptions());
    }

    /**
     * <pre>
     * Update creates a revision from the current one with other limits or environment, without the file.
     * </pre>
     */
    public run.weft.v1.UpdateResponse update(run.weft.v1.UpdateRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getUpdateMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Get describes one function.
     * </pre>
     */
    public run.weft.v1.GetResponse get(run.weft.v1.GetRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * List tells of every function of a namespace, ordered by name, in brief: of revisions the current one without its
     * bindings, of services their names and owners.
     * </pre>
     */
    public run.weft.v1.ListResponse list(run.weft.v1.ListRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Route makes a function the owner of a service: the one that answers when the caller names none.
     * </pre>
     */
    public run.weft.v1.RouteResponse route(run.weft.v1.RouteRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getRouteMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Delete removes a function with all its revisions. Its contracts stay; see Forget.
     * </pre>
     */
    public run.weft.v1.DeleteResponse delete(run.weft.v1.DeleteRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDeleteMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Forget drops the contract of a proto package that no function uses.
     * </pre>
     */
    public run.weft.v1.ForgetResponse forget(run.weft.v1.ForgetRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getForgetMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Schema returns the contracts of a function's packages and all files they import.
     * </pre>
     */
    public run.weft.v1.SchemaResponse schema(run.weft.v1.SchemaRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getSchemaMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Diff compares a component with the stored contracts, without deploying it. Messages as in Deploy.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<run.weft.v1.DiffRequest, run.weft.v1.DiffResponse>
        diff() {
      return io.grpc.stub.ClientCalls.blockingClientStreamingCall(
          getChannel(), getDiffMethod(), getCallOptions());
    }

    /**
     * <pre>
     * Logs streams the log lines of a function on all nodes, oldest first.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, run.weft.v1.LogsResponse>
        logs(run.weft.v1.LogsRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getLogsMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service FunctionService.
   * <pre>
   * FunctionService deploys functions and tells about them.
   * Every request names a namespace; empty means "default". Errors carry google.rpc.ErrorInfo with domain "weft" and one
   * of these reasons:
   *   INVALID_REQUEST        a name, limit or other value of the request is not allowed
   *   NOT_WASM               the file is not WebAssembly
   *   CORE_MODULE            the file is a core module, not a component
   *   MALFORMED_COMPONENT    the component's binary is damaged
   *   TOO_LARGE              the component is over 256 MiB
   *   UNSUPPORTED            an import that nobody provides, or a type or export that weft does not serve
   *   BREAKING_CHANGE        callers would break; each weft.v1.Change is a detail of the status
   *   COMPILE_FAILED         the component does not compile within the limits of a compile
   *   START_FAILED           no instance of the component can be made within its limits
   *   NOT_FOUND, CONFLICT, IN_USE, NOT_EXPORTED
   *                          the catalog does not allow it as it stands
   *   UNBOUND                an import has no provider, or there are several: spec.bindings names one
   *   MISMATCH               the provider of an import has other types
   *   LINK                   a provider can't be linked; without spec.link its calls go by the router
   *   NOT_ALLOWED            the nodes do not allow functions to call the host
   *   CYCLE                  functions would call one another in circles
   *   LEVEL                  a node of the cluster is too old for it
   *   NOT_REPLICATED         too few schedulers can be given the component; nothing was changed
   *   NO_COMPONENT           no node that has the component can be reached
   *   NO_LEADER              nobody leads the cluster at the moment; nothing was changed
   *   OUTCOME_UNKNOWN        the leader was lost meanwhile; repeat the request with the same request_id
   *   DISK_FULL              the node can't store the component
   *   DAMAGED                this node's log can't be applied any further, so it can neither write nor tell what is newest
   *   IDLE                   the upload stood still for a minute
   *   CLOSING                the node is shutting down
   *   INTERNAL               a fault of weft or of its machine
   * </pre>
   */
  public static final class FunctionServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<FunctionServiceBlockingStub> {
    private FunctionServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected FunctionServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new FunctionServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Update creates a revision from the current one with other limits or environment, without the file.
     * </pre>
     */
    public run.weft.v1.UpdateResponse update(run.weft.v1.UpdateRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getUpdateMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Get describes one function.
     * </pre>
     */
    public run.weft.v1.GetResponse get(run.weft.v1.GetRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * List tells of every function of a namespace, ordered by name, in brief: of revisions the current one without its
     * bindings, of services their names and owners.
     * </pre>
     */
    public run.weft.v1.ListResponse list(run.weft.v1.ListRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Route makes a function the owner of a service: the one that answers when the caller names none.
     * </pre>
     */
    public run.weft.v1.RouteResponse route(run.weft.v1.RouteRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getRouteMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Delete removes a function with all its revisions. Its contracts stay; see Forget.
     * </pre>
     */
    public run.weft.v1.DeleteResponse delete(run.weft.v1.DeleteRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Forget drops the contract of a proto package that no function uses.
     * </pre>
     */
    public run.weft.v1.ForgetResponse forget(run.weft.v1.ForgetRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getForgetMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Schema returns the contracts of a function's packages and all files they import.
     * </pre>
     */
    public run.weft.v1.SchemaResponse schema(run.weft.v1.SchemaRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getSchemaMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Logs streams the log lines of a function on all nodes, oldest first.
     * </pre>
     */
    public java.util.Iterator<run.weft.v1.LogsResponse> logs(
        run.weft.v1.LogsRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getLogsMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service FunctionService.
   * <pre>
   * FunctionService deploys functions and tells about them.
   * Every request names a namespace; empty means "default". Errors carry google.rpc.ErrorInfo with domain "weft" and one
   * of these reasons:
   *   INVALID_REQUEST        a name, limit or other value of the request is not allowed
   *   NOT_WASM               the file is not WebAssembly
   *   CORE_MODULE            the file is a core module, not a component
   *   MALFORMED_COMPONENT    the component's binary is damaged
   *   TOO_LARGE              the component is over 256 MiB
   *   UNSUPPORTED            an import that nobody provides, or a type or export that weft does not serve
   *   BREAKING_CHANGE        callers would break; each weft.v1.Change is a detail of the status
   *   COMPILE_FAILED         the component does not compile within the limits of a compile
   *   START_FAILED           no instance of the component can be made within its limits
   *   NOT_FOUND, CONFLICT, IN_USE, NOT_EXPORTED
   *                          the catalog does not allow it as it stands
   *   UNBOUND                an import has no provider, or there are several: spec.bindings names one
   *   MISMATCH               the provider of an import has other types
   *   LINK                   a provider can't be linked; without spec.link its calls go by the router
   *   NOT_ALLOWED            the nodes do not allow functions to call the host
   *   CYCLE                  functions would call one another in circles
   *   LEVEL                  a node of the cluster is too old for it
   *   NOT_REPLICATED         too few schedulers can be given the component; nothing was changed
   *   NO_COMPONENT           no node that has the component can be reached
   *   NO_LEADER              nobody leads the cluster at the moment; nothing was changed
   *   OUTCOME_UNKNOWN        the leader was lost meanwhile; repeat the request with the same request_id
   *   DISK_FULL              the node can't store the component
   *   DAMAGED                this node's log can't be applied any further, so it can neither write nor tell what is newest
   *   IDLE                   the upload stood still for a minute
   *   CLOSING                the node is shutting down
   *   INTERNAL               a fault of weft or of its machine
   * </pre>
   */
  public static final class FunctionServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<FunctionServiceFutureStub> {
    private FunctionServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected FunctionServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new FunctionServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Update creates a revision from the current one with other limits or environment, without the file.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.UpdateResponse> update(
        run.weft.v1.UpdateRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getUpdateMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Get describes one function.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.GetResponse> get(
        run.weft.v1.GetRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * List tells of every function of a namespace, ordered by name, in brief: of revisions the current one without its
     * bindings, of services their names and owners.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.ListResponse> list(
        run.weft.v1.ListRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Route makes a function the owner of a service: the one that answers when the caller names none.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.RouteResponse> route(
        run.weft.v1.RouteRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getRouteMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Delete removes a function with all its revisions. Its contracts stay; see Forget.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.DeleteResponse> delete(
        run.weft.v1.DeleteRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Forget drops the contract of a proto package that no function uses.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.ForgetResponse> forget(
        run.weft.v1.ForgetRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getForgetMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Schema returns the contracts of a function's packages and all files they import.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<run.weft.v1.SchemaResponse> schema(
        run.weft.v1.SchemaRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getSchemaMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_UPDATE = 0;
  private static final int METHODID_GET = 1;
  private static final int METHODID_LIST = 2;
  private static final int METHODID_ROUTE = 3;
  private static final int METHODID_DELETE = 4;
  private static final int METHODID_FORGET = 5;
  private static final int METHODID_SCHEMA = 6;
  private static final int METHODID_LOGS = 7;
  private static final int METHODID_DEPLOY = 8;
  private static final int METHODID_DIFF = 9;

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
        case METHODID_UPDATE:
          serviceImpl.update((run.weft.v1.UpdateRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.UpdateResponse>) responseObserver);
          break;
        case METHODID_GET:
          serviceImpl.get((run.weft.v1.GetRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.GetResponse>) responseObserver);
          break;
        case METHODID_LIST:
          serviceImpl.list((run.weft.v1.ListRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.ListResponse>) responseObserver);
          break;
        case METHODID_ROUTE:
          serviceImpl.route((run.weft.v1.RouteRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.RouteResponse>) responseObserver);
          break;
        case METHODID_DELETE:
          serviceImpl.delete((run.weft.v1.DeleteRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.DeleteResponse>) responseObserver);
          break;
        case METHODID_FORGET:
          serviceImpl.forget((run.weft.v1.ForgetRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.ForgetResponse>) responseObserver);
          break;
        case METHODID_SCHEMA:
          serviceImpl.schema((run.weft.v1.SchemaRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.SchemaResponse>) responseObserver);
          break;
        case METHODID_LOGS:
          serviceImpl.logs((run.weft.v1.LogsRequest) request,
              (io.grpc.stub.StreamObserver<run.weft.v1.LogsResponse>) responseObserver);
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
        case METHODID_DEPLOY:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.deploy(
              (io.grpc.stub.StreamObserver<run.weft.v1.DeployResponse>) responseObserver);
        case METHODID_DIFF:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.diff(
              (io.grpc.stub.StreamObserver<run.weft.v1.DiffResponse>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getDeployMethod(),
          io.grpc.stub.ServerCalls.asyncClientStreamingCall(
            new MethodHandlers<
              run.weft.v1.DeployRequest,
              run.weft.v1.DeployResponse>(
                service, METHODID_DEPLOY)))
        .addMethod(
          getUpdateMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.UpdateRequest,
              run.weft.v1.UpdateResponse>(
                service, METHODID_UPDATE)))
        .addMethod(
          getGetMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.GetRequest,
              run.weft.v1.GetResponse>(
                service, METHODID_GET)))
        .addMethod(
          getListMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.ListRequest,
              run.weft.v1.ListResponse>(
                service, METHODID_LIST)))
        .addMethod(
          getRouteMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.RouteRequest,
              run.weft.v1.RouteResponse>(
                service, METHODID_ROUTE)))
        .addMethod(
          getDeleteMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.DeleteRequest,
              run.weft.v1.DeleteResponse>(
                service, METHODID_DELETE)))
        .addMethod(
          getForgetMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.ForgetRequest,
              run.weft.v1.ForgetResponse>(
                service, METHODID_FORGET)))
        .addMethod(
          getSchemaMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              run.weft.v1.SchemaRequest,
              run.weft.v1.SchemaResponse>(
                service, METHODID_SCHEMA)))
        .addMethod(
          getDiffMethod(),
          io.grpc.stub.ServerCalls.asyncClientStreamingCall(
            new MethodHandlers<
              run.weft.v1.DiffRequest,
              run.weft.v1.DiffResponse>(
                service, METHODID_DIFF)))
        .addMethod(
          getLogsMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              run.weft.v1.LogsRequest,
              run.weft.v1.LogsResponse>(
                service, METHODID_LOGS)))
        .build();
  }

  private static abstract class FunctionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    FunctionServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return run.weft.v1.FunctionProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("FunctionService");
    }
  }

  private static final class FunctionServiceFileDescriptorSupplier
      extends FunctionServiceBaseDescriptorSupplier {
    FunctionServiceFileDescriptorSupplier() {}
  }

  private static final class FunctionServiceMethodDescriptorSupplier
      extends FunctionServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    FunctionServiceMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (FunctionServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new FunctionServiceFileDescriptorSupplier())
              .addMethod(getDeployMethod())
              .addMethod(getUpdateMethod())
              .addMethod(getGetMethod())
              .addMethod(getListMethod())
              .addMethod(getRouteMethod())
              .addMethod(getDeleteMethod())
              .addMethod(getForgetMethod())
              .addMethod(getSchemaMethod())
              .addMethod(getDiffMethod())
              .addMethod(getLogsMethod())
              .build();
        }
      }
    }
    return result;
  }
}
