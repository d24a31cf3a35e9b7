package run.weft.client;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.Iterator;
import java.util.NoSuchElementException;
import run.weft.v1.LogsResponse;

/**
 * The lines of a log. They are read from the server as the loop asks for them. Close it to end before the last line; any thread may,
 * and one that waits for a line is at the end of its loop then. Else it is for one thread.
 */
public final class Logs implements Iterator<LogsResponse>, AutoCloseable {
  private final BlockingClientCall<?, LogsResponse> call;
  private volatile boolean closed;

  Logs(BlockingClientCall<?, LogsResponse> call) {
    this.call = call;
  }

  /**
   * Waits for the next line, and tells whether there is one.
   *
   * @throws WeftException if the stream breaks
   */
  @Override
  public boolean hasNext() {
    try {
      return !closed && call.hasNext();
    } catch (StatusException e) {
      if (closed) {
        return false;
      }
      throw WeftException.of(e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  @Override
  public LogsResponse next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    try {
      return call.read();
    } catch (StatusException e) {
      throw WeftException.of(e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  @Override
  public void close() {
    closed = true;
    call.cancel("closed", null);
  }

  static WeftException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return WeftException.of(Status.CANCELLED.withDescription("the thread was interrupted").withCause(e).asRuntimeException());
  }
}
