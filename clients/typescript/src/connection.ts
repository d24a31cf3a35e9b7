import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { constants, type ClientHttp2Stream, type SecureClientSessionOptions } from "node:http2";
import { isIP } from "node:net";
import type { Retry } from "./retry.js";

/** The namespace of a client that names none. */
export const defaultNamespace = "default";

/**
 * Milliseconds for a request to weft's own API that has no timeout of its own. Deploys, logs and calls of functions have
 * no bound of the client's.
 */
export const defaultTimeoutMs = 30_000;

/** What to check a server's certificate with, and what to show it. All in PEM. */
export interface TLSOptions {
  /** The certificates to trust; those of Node.js if there are none. */
  readonly ca?: string | Uint8Array;
  /** The client's certificate with its chain, and its key. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** The name that the server's certificate must have, where it is not the address's host. */
  readonly servername?: string;
}

/** How to connect. */
export interface ConnectOptions {
  /** The namespace of all requests and calls. Empty means "default". */
  readonly namespace?: string;
  readonly tls?: boolean | TLSOptions;
  /** Goes with every request as its authorization. */
  readonly token?: string;
  /** In place of defaultTimeoutMs. 0 means no bound. */
  readonly timeoutMs?: number;
  /** In place of defaultRetry; false means never. */
  readonly retry?: Retry | false;
}

/** A connection that opens with the first request and again when it breaks. */
export interface Connection {
  readonly transport: Transport;
  close(): void;
}

/** Checks an address and its options. Nothing is sent yet. */
export function open(address: string, options: ConnectOptions): Connection {
  const match = /^(.+):(\d+)$/.exec(address);
  if (!match?.[1]) {
    throw new TypeError(`weft: address ${JSON.stringify(address)} is no host:port, such as 127.0.0.1:7070`);
  }
  if (options.token !== undefined && !options.tls && !isLocal(match[1])) {
    throw new TypeError(`weft: a token would go to ${address} in plain text; connect with tls`);
  }
  const baseUrl = `${options.tls ? "https" : "http"}://${address}`;
  const sessionManager = new SessionManager(baseUrl, {}, nodeOptions(options.tls));
  return {
    transport: createGrpcTransport({ baseUrl, sessionManager }),
    close: () => sessionManager.abort(),
  };
}

/**
 * Says of a stream that its connection is lost. Node.js closes the streams of a connection that ends as if they had been
 * canceled, which is also what a server does that gives a call up.
 */
class SessionManager extends Http2SessionManager {
  override async request(...args: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...args);
    const { session } = stream;
    stream.once("close", () => {
      if (stream.rstCode === constants.NGHTTP2_CANCEL && session?.destroyed) {
        stream.emit("error", Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" }));
      }
    });
    return stream;
  }
}

function nodeOptions(tls: boolean | TLSOptions | undefined): SecureClientSessionOptions {
  if (typeof tls !== "object") {
    return {};
  }
  const pem = (value: string | Uint8Array) => (typeof value === "string" ? value : Buffer.from(value));
  const options: SecureClientSessionOptions = {};
  if (tls.ca !== undefined) options.ca = pem(tls.ca);
  if (tls.cert !== undefined) options.cert = pem(tls.cert);
  if (tls.key !== undefined) options.key = pem(tls.key);
  if (tls.servername !== undefined) options.servername = tls.servername;
  return options;
}

function isLocal(host: string): boolean {
  return host === "localhost" || host === "[::1]" || (isIP(host) === 4 && host.startsWith("127."));
}
