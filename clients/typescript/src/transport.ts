import type { DescMessage, DescMethodStreaming, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import type { ContextValues, StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import { WeftError } from "./error.js";
import { isRepeatable, repeat, type Retry } from "./retry.js";

type HeadersInit = ConstructorParameters<typeof Headers>[0];

/** Who answers calls of functions, where it is not the current revision of the service's owner. */
export interface Target {
  /** A function other than the owner of the service. */
  readonly function?: string;
  /** A revision other than the current one. */
  readonly revision?: number;
}

/** A transport that adds headers to every call, repeats what is safe to repeat, and throws WeftErrors. */
export class ClientTransport implements Transport {
  constructor(
    private readonly next: Transport,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly retry: Retry | false,
  ) {}

  /** The same with further headers. */
  with(headers: Readonly<Record<string, string>>): ClientTransport {
    return new ClientTransport(this.next, { ...this.headers, ...headers }, this.retry);
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: MessageInitShape<I>,
    contextValues?: ContextValues,
  ): Promise<UnaryResponse<I, O>> {
    const attempt = (left: number | undefined) =>
      this.next.unary(method, signal, left, this.header(header), input, contextValues);
    try {
      if (this.retry === false || !isRepeatable(method)) {
        return await attempt(timeoutMs);
      }
      return await repeat(this.retry, signal, timeoutMs, attempt);
    } catch (thrown) {
      throw WeftError.from(thrown);
    }
  }

  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
    contextValues?: ContextValues,
  ): Promise<StreamResponse<I, O>> {
    try {
      const response = await this.next.stream(method, signal, timeoutMs, this.header(header), input, contextValues);
      return { ...response, message: throwing(response.message) };
    } catch (thrown) {
      throw WeftError.from(thrown);
    }
  }

  private header(given: HeadersInit | undefined): Headers {
    const headers = new Headers(given);
    for (const [key, value] of Object.entries(this.headers)) {
      headers.set(key, value);
    }
    return headers;
  }
}

async function* throwing<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (thrown) {
    throw WeftError.from(thrown);
  }
}
