/**
 * The client of weft for Node.js: it deploys functions, tells about them and calls them.
 *
 *     const client = connect("127.0.0.1:7070");
 *     await client.deploy("orders.wasm", { name: "orders" });
 *     const orders = createClient(Orders, client.transport());
 *     console.log(await orders.find({ sku: "book-loom" }, { timeoutMs: 5000 }));
 *
 * Answers are the messages of weft's API, in "@weft-run/client/v1". Whatever a server refuses is a WeftError.
 */
export { Code } from "@connectrpc/connect";
export { Client, connect, type CallOptions, type LogOptions, type ReadOptions } from "./client.js";
export { defaultNamespace, defaultTimeoutMs, type ConnectOptions, type TLSOptions } from "./connection.js";
export { WeftError, type Detail } from "./error.js";
export { Logs } from "./logs.js";
export { defaultRetry, type Retry } from "./retry.js";
export type { Target } from "./transport.js";
export type { Component } from "./upload.js";
