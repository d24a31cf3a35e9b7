/** The messages and services of weft's API. */
export * from "./generated/weft/v1/contract_pb.js";
export * from "./generated/weft/v1/function_pb.js";
export * from "./generated/weft/v1/node_pb.js";
export * from "./generated/weft/v1/secret_pb.js";
