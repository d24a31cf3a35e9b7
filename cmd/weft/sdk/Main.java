import com.google.protobuf.util.JsonFormat;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.util.concurrent.TimeUnit;

/** Calls the function {{.Function}}. Run it with the server's address, if that is not 127.0.0.1:7070. */
public final class Main {
  public static void main(String[] args) throws Exception {
    String address = args.length > 0 ? args[0] : "127.0.0.1:7070";
    var channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    try {
      var headers = new Metadata();
      headers.put(Metadata.Key.of("weft-namespace", Metadata.ASCII_STRING_MARSHALLER), "{{.Namespace}}");
      headers.put(Metadata.Key.of("weft-function", Metadata.ASCII_STRING_MARSHALLER), "{{.Function}}");
      var request = {{.Package}}.{{.Request}}.newBuilder();
      JsonFormat.parser().merge({{.Sample}}, request);
      var stub =
          {{.Package}}.{{.Service}}Grpc.newBlockingStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
              .withDeadlineAfter(30, TimeUnit.SECONDS);
      System.out.println(JsonFormat.printer().print(stub.{{.LowerMethod}}(request.build())));
    } finally {
      channel.shutdownNow();
    }
  }
}
