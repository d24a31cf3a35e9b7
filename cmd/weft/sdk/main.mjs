// Calls the function {{.Function}}. Run it with the server's address, if that is not 127.0.0.1:7070.
import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { {{.Service}} } from "./{{.Path}}/{{.File}}_pb.js";

const baseUrl = `http://${process.argv[2] ?? "127.0.0.1:7070"}`;
const sessionManager = new Http2SessionManager(baseUrl);
const stub = createClient({{.Service}}, createGrpcTransport({ baseUrl, sessionManager }));
const { input, output, localName } = {{.Service}}.methods.find((m) => m.name === "{{.Method}}");
const headers = { "weft-namespace": "{{.Namespace}}", "weft-function": "{{.Function}}" };
try {
  const answer = await stub[localName](fromJsonString(input, {{.Sample}}), { timeoutMs: 30_000, headers });
  console.log(toJsonString(output, answer, { prettySpaces: 2 }));
} finally {
  sessionManager.abort();
}
