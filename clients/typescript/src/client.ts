import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { createClient, type Client as Stub, type Transport } from "@connectrpc/connect";
import { defaultNamespace, defaultTimeoutMs, open, type ConnectOptions, type Connection } from "./connection.js";
import {
  Consistency,
  DeploySpecSchema,
  FunctionService,
  UpdateRequestSchema,
  type DeployResponse,
  type DiffResponse,
  type GetResponse,
  type ListResponse,
  type SchemaResponse,
  type UpdateResponse,
} from "./generated/weft/v1/function_pb.js";
import {
  NodeService,
  type DrainResponse,
  type ListNodesResponse,
  type StatusResponse,
} from "./generated/weft/v1/node_pb.js";
import { SecretService, type ListSecretsResponse } from "./generated/weft/v1/secret_pb.js";
import { Logs } from "./logs.js";
import { defaultRetry } from "./retry.js";
import { ClientTransport, type Target } from "./transport.js";
import { chunksOf, type Component } from "./upload.js";

/** What bounds one request. */
export interface CallOptions {
  /** Milliseconds until it fails with DEADLINE_EXCEEDED. */
  readonly timeoutMs?: number;
  /** Cancels it. */
  readonly signal?: AbortSignal;
}

/** Says how a request reads the catalog. */
export interface ReadOptions extends CallOptions {
  /**
   * "linearizable" fails, after 10 s without a leader, rather than answer with what may be stale; "stale" is what the node
   * that answers knows. By default the answer shows every change acknowledged before; where no leader is found within 2 s,
   * it is what the node knows. Its freshness tells which.
   */
  readonly consistency?: "linearizable" | "stale";
}

/** Says which lines of a log to read. */
export interface LogOptions extends CallOptions {
  /** Go on with new lines as they come, until the loop is left. */
  readonly follow?: boolean;
  /** How many of the last lines to begin with; all that are kept if it is not set. */
  readonly tail?: number;
}

type Named<T> = T & { readonly name: string };

/**
 * Makes a client of the server at an address, a host and port. It does not wait for the server: the first request does.
 * Close the client after use.
 *
 * Requests that are safe to repeat are repeated a few times while the server can't be reached. Deploys and calls of
 * functions are never repeated.
 */
export function connect(address: string, options: ConnectOptions = {}): Client {
  return new Client(open(address, options), options);
}

/** Talks to one address of a weft cluster, in one namespace. Made by connect. */
export class Client {
  /** The namespace of all requests and calls. */
  readonly namespace: string;
  private readonly base: ClientTransport;
  private readonly functions: Stub<typeof FunctionService>;
  private readonly nodeService: Stub<typeof NodeService>;
  private readonly secretService: Stub<typeof SecretService>;
  private readonly timeoutMs: number;

  /** @internal */
  constructor(
    private readonly connection: Connection,
    options: ConnectOptions,
  ) {
    this.namespace = options.namespace || defaultNamespace;
    this.timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const headers: Record<string, string> = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
    this.base = new ClientTransport(connection.transport, headers, options.retry ?? defaultRetry);
    this.functions = createClient(FunctionService, this.base);
    this.nodeService = createClient(NodeService, this.base);
    this.secretService = createClient(SecretService, this.base);
  }

  /** Closes the connection; what is under way fails. */
  close(): void {
    this.connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The transport for generated stubs, in the client's namespace. Calls on it that fail throw a WeftError. */
  transport(target: Target = {}): Transport {
    const headers: Record<string, string> = {};
    if (this.namespace !== defaultNamespace) headers["weft-namespace"] = this.namespace;
    if (target.function !== undefined) headers["weft-function"] = target.function;
    if (target.revision !== undefined) headers["weft-revision"] = String(target.revision);
    return this.base.with(headers);
  }

  /**
   * Makes a revision of a function from a component. Of the spec only the name is needed. progress is told the number of
   * bytes sent so far. It resolves once the revision is committed and, up to spec.wait, ready.
   */
  async deploy(
    component: Component,
    spec: Named<MessageInitShape<typeof DeploySpecSchema>>,
    options: CallOptions & { readonly progress?: (sent: number) => void } = {},
  ): Promise<DeployResponse> {
    return this.upload(component, spec, options.progress, options, (parts, o) => this.functions.deploy(parts, o));
  }

  /** Compares a component with the stored contracts. It takes what deploy takes and changes nothing. */
  async diff(
    component: Component,
    spec: Named<MessageInitShape<typeof DeploySpecSchema>>,
    options: CallOptions = {},
  ): Promise<DiffResponse> {
    return this.upload(component, spec, undefined, options, (parts, o) => this.functions.diff(parts, o));
  }

  private async upload<R>(
    component: Component,
    spec: MessageInitShape<typeof DeploySpecSchema>,
    progress: ((sent: number) => void) | undefined,
    options: CallOptions,
    send: (parts: AsyncIterable<Part>, options: CallOptions) => Promise<R>,
  ): Promise<R> {
    const { size, chunks } = await chunksOf(component);
    const full = this.filled(DeploySpecSchema, spec);
    full.size ||= size;
    // A component that can't be read to its end must not look whole: the call is canceled.
    const failed = new AbortController();
    let failure: { readonly reason: unknown } | undefined;
    async function* parts(): AsyncGenerator<Part> {
      yield { part: { case: "spec", value: full } };
      try {
        let sent = 0;
        for await (const value of chunks) {
          yield { part: { case: "chunk", value } };
          progress?.((sent += value.length));
        }
      } catch (reason) {
        failure = { reason };
        failed.abort();
        throw reason;
      }
    }
    try {
      const signals = options.signal ? [failed.signal, options.signal] : [failed.signal];
      return await send(parts(), { ...options, signal: AbortSignal.any(signals) });
    } catch (error) {
      throw failure ? failure.reason : error;
    } finally {
      await chunks.return(undefined);
    }
  }

  /** Makes a revision with other limits, environment or scheduling. What the request does not set stays. */
  async update(
    request: Named<MessageInitShape<typeof UpdateRequestSchema>>,
    options?: CallOptions,
  ): Promise<UpdateResponse> {
    return this.functions.update(this.filled(UpdateRequestSchema, request), this.bound(options));
  }

  /** Describes a function. */
  async get(name: string, options?: ReadOptions): Promise<GetResponse> {
    const request = { namespace: this.namespace, name, consistency: consistency(options) };
    return this.functions.get(request, this.bound(options));
  }

  /** Tells of all functions of the namespace, ordered by name. */
  async list(options?: ReadOptions): Promise<ListResponse> {
    const request = { namespace: this.namespace, consistency: consistency(options) };
    return this.functions.list(request, this.bound(options));
  }

  /** Makes a function the owner of a service and returns the owner before, "" if there was none. */
  async route(service: string, functionName: string, options?: CallOptions): Promise<string> {
    const request = { namespace: this.namespace, service, name: functionName, requestId: unique() };
    return (await this.functions.route(request, this.bound(options))).previous;
  }

  /** Removes a function with all its revisions and returns how many there were. Its contracts stay. */
  async delete(name: string, options?: CallOptions): Promise<number> {
    const request = { namespace: this.namespace, name, requestId: unique() };
    return (await this.functions.delete(request, this.bound(options))).revisions;
  }

  /** Drops the contract of a proto package that no function uses. */
  async forget(pkg: string, options?: CallOptions): Promise<void> {
    const request = { namespace: this.namespace, package: pkg, requestId: unique() };
    await this.functions.forget(request, this.bound(options));
  }

  /**
   * Sets a secret, which functions read through wasi:config, and returns its version. With a function's name only that one may
   * read it, and sees it rather than the namespace's. Nothing gives the value back.
   */
  async setSecret(
    key: string,
    value: string | Uint8Array,
    options: CallOptions & { readonly function?: string } = {},
  ): Promise<bigint> {
    const { function: name = "", ...rest } = options;
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    const request = { namespace: this.namespace, function: name, key, value: bytes, requestId: unique() };
    return (await this.secretService.setSecret(request, this.bound(rest))).version;
  }

  /** Tells of the secrets of the namespace and its functions, and not what they are. */
  async secrets(options?: ReadOptions): Promise<ListSecretsResponse> {
    const request = { namespace: this.namespace, consistency: consistency(options) };
    return this.secretService.listSecrets(request, this.bound(options));
  }

  /** Deletes a secret of the namespace, or of a function. */
  async deleteSecret(key: string, options: CallOptions & { readonly function?: string } = {}): Promise<void> {
    const { function: name = "", ...rest } = options;
    const request = { namespace: this.namespace, function: name, key, requestId: unique() };
    await this.secretService.deleteSecret(request, this.bound(rest));
  }

  /** The contracts that a function uses with all the files they import; without a name, of the namespace. */
  async schema(name = "", options?: CallOptions): Promise<SchemaResponse> {
    return this.functions.schema({ namespace: this.namespace, name }, this.bound(options));
  }

  /** Reads the log of a function, oldest line first. */
  logs(name: string, options: LogOptions = {}): Logs {
    const { follow = false, tail = 0, signal, ...rest } = options;
    const request = { namespace: this.namespace, name, follow, tail };
    return new Logs((s) => this.functions.logs(request, { ...rest, signal: s }), signal);
  }

  /** Tells of the node that answers. */
  async status(options?: CallOptions): Promise<StatusResponse> {
    return this.nodeService.status({}, this.bound(options));
  }

  /** Tells of every node of the cluster, ordered by name. */
  async nodes(options?: ReadOptions): Promise<ListNodesResponse> {
    return this.nodeService.listNodes({ consistency: consistency(options) }, this.bound(options));
  }

  /**
   * Moves everything off a node, named by name or ID, and keeps it empty. It waits for that up to waitMs; the answer tells
   * how much is left.
   */
  async drain(node: string, options: CallOptions & { readonly waitMs?: number } = {}): Promise<DrainResponse> {
    const { waitMs = 0, ...rest } = options;
    const request = { node, wait: durationFromMs(waitMs), requestId: unique() };
    return this.nodeService.drain(request, this.bound(rest, waitMs));
  }

  /** Lets placements come back to a node. */
  async undrain(node: string, options?: CallOptions): Promise<DrainResponse> {
    return this.nodeService.drain({ node, undo: true, requestId: unique() }, this.bound(options));
  }

  /** A request with its namespace and ID. */
  private filled<T extends DescMessage>(schema: T, init: MessageInitShape<T>): MessageShape<T> {
    const request = create(schema, init) as MessageShape<T> & { namespace: string; requestId: string };
    request.namespace ||= this.namespace;
    request.requestId ||= unique();
    return request;
  }

  /** The options of a request with the client's own deadline, where it has none. */
  private bound(options: CallOptions = {}, waitMs = 0): CallOptions {
    const { timeoutMs = this.timeoutMs > 0 ? waitMs + this.timeoutMs : undefined, signal } = options;
    return { ...(timeoutMs !== undefined && { timeoutMs }), ...(signal && { signal }) };
  }
}

/** One message of an upload: the spec first, then the bytes. */
interface Part {
  part: { case: "spec"; value: MessageShape<typeof DeploySpecSchema> } | { case: "chunk"; value: Uint8Array };
}

function consistency(options: ReadOptions | undefined): Consistency {
  switch (options?.consistency) {
    case "linearizable":
      return Consistency.LINEARIZABLE;
    case "stale":
      return Consistency.STALE;
    default:
      return Consistency.UNSPECIFIED;
  }
}

function unique(): string {
  return crypto.randomUUID();
}
