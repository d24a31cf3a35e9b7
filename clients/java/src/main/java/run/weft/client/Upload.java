package run.weft.client;

import com.google.protobuf.ByteString;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.Function;
import java.util.function.LongConsumer;
import run.weft.v1.DeploySpec;

/** A component on its way: the spec first, then the bytes. */
final class Upload {
  private static final int CHUNK = 256 << 10; // how much of a component one message carries

  private Upload() {}

  /** Sends a component and returns the answer. A component that can't be read to its end must not look whole: the call is cancelled. */
  static <Q, R> R send(
      BlockingClientCall<Q, R> call,
      DeploySpec spec,
      InputStream component,
      Function<DeploySpec, Q> first,
      Function<ByteString, Q> chunk,
      LongConsumer progress)
      throws IOException {
    boolean whole = false;
    try {
      boolean open = call.write(first.apply(spec));
      long sent = 0;
      // Where the server has ended the call, its answer says why.
      for (byte[] bytes; open && (bytes = component.readNBytes(CHUNK)).length > 0; ) {
        open = call.write(chunk.apply(ByteString.copyFrom(bytes)));
        sent += bytes.length;
        progress.accept(sent);
      }
      call.halfClose();
      R answer = call.read();
      whole = true;
      return answer;
    } catch (StatusException e) {
      throw WeftException.of(e);
    } catch (InterruptedException e) {
      throw Logs.interrupted(e);
    } finally {
      if (!whole) {
        call.cancel("the component was not sent", null);
      }
    }
  }
}
