import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { ChangeSchema, type Change } from "./generated/weft/v1/function_pb.js";

/** One typed detail of an error. */
export interface Detail {
  /** The full name of its message: "demo.orders.v1.Refusal". */
  readonly type: string;
  /** The message in protobuf's wire format. */
  readonly value: Uint8Array;
}

/** What a server answered in place of a response, or why there was no answer. */
export class WeftError extends Error {
  override readonly name = "WeftError";

  constructor(
    /** What went wrong, where, and what to do. */
    message: string,
    readonly code: Code,
    /**
     * weft's own reason, such as "QUEUE_FULL" or "BREAKING_CHANGE". Empty for an error that the called function returned
     * itself, and for one of the connection.
     */
    readonly reason: string = "",
    /** The typed details, without the one that carries the reason. */
    readonly details: readonly Detail[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The first detail of a generated type, undefined if there is none. */
  detail<T extends DescMessage>(schema: T): MessageShape<T> | undefined {
    const found = this.details.find((d) => d.type === schema.typeName);
    return found && fromBinary(schema, found.value);
  }

  /** The changes that a deploy was refused for, where the reason is "BREAKING_CHANGE". */
  get changes(): Change[] {
    return this.details.filter((d) => d.type === ChangeSchema.typeName).map((d) => fromBinary(ChangeSchema, d.value));
  }

  /** The WeftError of whatever a call threw. */
  static from(thrown: unknown): WeftError {
    if (thrown instanceof WeftError) {
      return thrown;
    }
    const error = ConnectError.from(thrown);
    let reason = "";
    const details: Detail[] = [];
    for (const d of error.details) {
      if (!("type" in d)) {
        continue; // of a server
      }
      const info = d.type === "google.rpc.ErrorInfo" ? errorInfo(d.value) : undefined;
      if (info?.domain === "weft") {
        reason = info.reason;
      } else {
        details.push({ type: d.type, value: d.value });
      }
    }
    const code = lostConnection(error.cause) ? Code.Unavailable : error.code;
    return new WeftError(error.rawMessage, code, reason, details, { cause: error });
  }
}

/** Tells whether an error is Node's word that the connection broke, which is UNAVAILABLE in gRPC. */
function lostConnection(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ECONNRESET" || code === "EPIPE" || code === "ERR_HTTP2_SESSION_ERROR" || code === "ERR_HTTP2_GOAWAY_SESSION";
}

/** Reads reason (1) and domain (2) of a google.rpc.ErrorInfo. */
function errorInfo(value: Uint8Array): { reason: string; domain: string } {
  const info = { reason: "", domain: "" };
  const reader = new BinaryReader(value);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1) {
      info.reason = reader.string();
    } else if (field === 2) {
      info.domain = reader.string();
    } else {
      reader.skip(wire, field);
    }
  }
  return info;
}
