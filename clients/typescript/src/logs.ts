import { Code } from "@connectrpc/connect";
import { WeftError } from "./error.js";
import type { LogsResponse } from "./generated/weft/v1/function_pb.js";

/**
 * The lines of a log. They are read from the server as the loop asks for them. Leaving the loop, or close, ends the
 * stream; who waits for a line is at the end of the loop then.
 */
export class Logs implements AsyncIterableIterator<LogsResponse> {
  private readonly controller = new AbortController();
  private readonly lines: AsyncIterator<LogsResponse>;

  /** Starts the stream; it must end when the signal says so. */
  constructor(start: (signal: AbortSignal) => AsyncIterable<LogsResponse>, signal?: AbortSignal) {
    const signals = signal ? [this.controller.signal, signal] : [this.controller.signal];
    this.lines = start(AbortSignal.any(signals))[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<LogsResponse, undefined>> {
    if (this.controller.signal.aborted) {
      return { done: true, value: undefined };
    }
    try {
      const next = await this.lines.next();
      return next.done ? { done: true, value: undefined } : next;
    } catch (thrown) {
      const error = WeftError.from(thrown);
      if (this.controller.signal.aborted && error.code === Code.Canceled) {
        return { done: true, value: undefined };
      }
      throw error;
    }
  }

  async return(): Promise<IteratorResult<LogsResponse, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  /** Ends the stream. */
  close(): void {
    this.controller.abort();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
