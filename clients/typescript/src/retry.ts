import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { WeftError } from "./error.js";

/** How often what is safe to repeat is repeated while the server can't be reached: a retry policy of gRPC's service config. */
export interface Retry {
  /** All attempts, the first one included. */
  readonly maxAttempts: number;
  /** Milliseconds before the second attempt, give or take a fifth; each further wait is longer by the multiplier. */
  readonly initialBackoffMs: number;
  /** The longest wait, in milliseconds. */
  readonly maxBackoffMs: number;
  readonly backoffMultiplier: number;
}

/** What a client does if it is not told otherwise. */
export const defaultRetry: Retry = { maxAttempts: 4, initialBackoffMs: 100, maxBackoffMs: 1000, backoffMultiplier: 2 };

const repeatable = new Set(["Get", "List", "Schema", "Update", "Route", "Delete", "Forget"]);

/** Tells whether a method may be called twice: those of weft's API that read, or whose request has an ID. */
export function isRepeatable(method: DescMethod): boolean {
  const service = method.parent.typeName;
  const all = service === "weft.v1.NodeService" || service === "weft.v1.SecretService";
  return all || (service === "weft.v1.FunctionService" && repeatable.has(method.name));
}

/** Attempts a call until it succeeds, fails for another reason than UNAVAILABLE, or the policy or the time is used up. */
export async function repeat<T>(
  retry: Retry,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  attempt: (timeoutMs: number | undefined) => Promise<T>,
): Promise<T> {
  const end = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  const left = () => (end === undefined ? undefined : Math.ceil(end - performance.now())); // gRPC takes whole ones
  let backoff = retry.initialBackoffMs;
  for (let n = 1; ; n++) {
    try {
      return await attempt(left());
    } catch (thrown) {
      const error = WeftError.from(thrown);
      const wait = pushback(error) ?? backoff * (0.8 + 0.4 * Math.random());
      if (error.code !== Code.Unavailable || n >= retry.maxAttempts || wait < 0 || wait > (left() ?? Infinity)) {
        throw error;
      }
      await sleep(wait, signal);
      backoff = Math.min(backoff * retry.backoffMultiplier, retry.maxBackoffMs);
    }
  }
}

/** How long the server says to wait, in milliseconds; negative for never again, undefined if it says nothing. */
function pushback(error: WeftError): number | undefined {
  const said = error.cause instanceof ConnectError ? error.cause.metadata.get("grpc-retry-pushback-ms") : null;
  if (said === null) {
    return undefined;
  }
  return /^\d+$/.test(said) ? Number(said) : -1;
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new WeftError("the call was canceled", Code.Canceled, "", [], { cause: signal?.reason }));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) {
      stop();
    } else {
      signal?.addEventListener("abort", stop, { once: true });
    }
  });
}
