package run.weft.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import run.weft.v1.Change;

/**
 * What a server answered in place of a response, or why there was no answer. The methods of {@link WeftClient} throw it. Stubs
 * throw gRPC's own exceptions, which {@link #of} understands.
 */
public final class WeftException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Status.Code code;
  private final String reason;
  private final transient List<Detail> details;

  private WeftException(Status.Code code, String reason, String message, List<Detail> details, Throwable cause) {
    super(message, cause);
    this.code = code;
    this.reason = reason;
    this.details = List.copyOf(details);
  }

  /** What a StatusRuntimeException or StatusException says. Of anything else it makes an exception with the code UNKNOWN. */
  public static WeftException of(Throwable thrown) {
    if (thrown instanceof WeftException e) {
      return e;
    }
    Status status = Status.fromThrowable(thrown);
    String message = Optional.ofNullable(status.getDescription()).orElseGet(() -> cause(status));
    String reason = "";
    List<Detail> details = new ArrayList<>();
    com.google.rpc.Status full = StatusProto.fromThrowable(thrown);
    for (Any any : full == null ? List.<Any>of() : full.getDetailsList()) {
      ErrorInfo info = info(any);
      if (info.getDomain().equals("weft")) {
        reason = info.getReason();
      } else {
        details.add(new Detail(any.getTypeUrl().substring(any.getTypeUrl().lastIndexOf('/') + 1), any.getValue()));
      }
    }
    return new WeftException(code(status), reason, message, details, thrown);
  }

  // grpc-java says UNKNOWN of some connections that broke: https://github.com/grpc/grpc-java/issues/10120
  private static Status.Code code(Status status) {
    boolean broken = status.getCode() == Status.Code.UNKNOWN && status.getCause() instanceof ClosedChannelException;
    return broken ? Status.Code.UNAVAILABLE : status.getCode();
  }

  private static String cause(Status status) {
    Throwable cause = status.getCause();
    return cause == null ? status.getCode().toString() : cause.toString();
  }

  private static ErrorInfo info(Any any) {
    try {
      return any.is(ErrorInfo.class) ? any.unpack(ErrorInfo.class) : ErrorInfo.getDefaultInstance();
    } catch (InvalidProtocolBufferException e) {
      return ErrorInfo.getDefaultInstance();
    }
  }

  /** The gRPC code. That a connection broke is UNAVAILABLE. */
  public Status.Code code() {
    return code;
  }

  /**
   * weft's own reason, such as "QUEUE_FULL" or "BREAKING_CHANGE". Empty for an error that the called function returned itself,
   * and for one of the connection.
   */
  public String reason() {
    return reason;
  }

  /** The typed details, without the one that carries the reason. */
  public List<Detail> details() {
    return details;
  }

  /**
   * The first detail of a generated type, given by its default instance: {@code detail(Refusal.getDefaultInstance())}. Empty if
   * there is none, or if it does not decode.
   */
  public <T extends Message> Optional<T> detail(T type) {
    return all(type).stream().findFirst();
  }

  /** The changes that a deploy was refused for, where the reason is "BREAKING_CHANGE". */
  public List<Change> changes() {
    return all(Change.getDefaultInstance());
  }

  @SuppressWarnings("unchecked")
  private <T extends Message> List<T> all(T type) {
    List<T> found = new ArrayList<>();
    for (Detail d : details) {
      if (d.type().equals(type.getDescriptorForType().getFullName())) {
        try {
          found.add((T) type.getParserForType().parseFrom(d.value()));
        } catch (InvalidProtocolBufferException e) {
          // It is of another version of the type: there is none that the caller understands.
        }
      }
    }
    return found;
  }
}
