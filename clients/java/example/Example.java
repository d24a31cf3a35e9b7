import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import run.weft.client.Logs;
import run.weft.client.WeftClient;
import run.weft.client.WeftException;
import run.weft.v1.DeploySpec;
import run.weft.v1.LogsRequest;
import run.weft.v1.Method;
import run.weft.v1.Service;

/** Deploys examples/orders, calls it and shows its log. README.md says how to run it. */
public final class Example {
  public static void main(String[] args) throws IOException {
    String address = Optional.ofNullable(System.getenv("WEFT_ADDR")).orElse("127.0.0.1:7070");
    try (WeftClient client = WeftClient.connect(address)) {
      DeploySpec spec = DeploySpec.newBuilder().setName("orders").build();
      var deployed = client.deploy(Path.of(args[0]), spec, sent -> System.out.println(sent + " bytes sent"));
      System.out.println("orders has revision " + deployed.getFunction().getRevision());
      for (Service service : client.get("orders").getFunction().getServicesList()) {
        for (Method method : service.getMethodsList()) {
          System.out.println("  " + service.getName() + "/" + method.getName() + ": " + method.getSignature());
        }
      }

      // Calls take stubs: `weft sdk orders --lang java` writes a project with them. Without them, any message will do that
      // has the fields of the request; this one has a string.
      MethodDescriptor<StringValue, Empty> find =
          MethodDescriptor.newBuilder(
                  ProtoUtils.marshaller(StringValue.getDefaultInstance()), ProtoUtils.marshaller(Empty.getDefaultInstance()))
              .setType(MethodDescriptor.MethodType.UNARY)
              .setFullMethodName("demo.orders.v1.Orders/Find")
              .build();
      CallOptions soon = CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS);
      try {
        ClientCalls.blockingUnaryCall(client.channel(), find, soon, StringValue.of("unobtainium"));
      } catch (StatusRuntimeException e) {
        WeftException refused = WeftException.of(e);
        System.out.println(refused.code() + ": " + refused.getMessage() + " (" + refused.details().get(0).type() + ")");
      }

      try (Logs lines = client.logs(LogsRequest.newBuilder().setName("orders").setTail(10).build())) {
        lines.forEachRemaining(line -> System.out.println(line.getMessage()));
      }
    }
  }
}
