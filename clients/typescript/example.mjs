// Deploys examples/orders, calls it and shows its log.
//
//     make orders && bin/weft server    # in another terminal
//     npm --prefix clients/typescript ci
//     node clients/typescript/example.mjs build/components/orders.wasm
//
// Calls take stubs: `weft sdk orders --lang ts -o orders` writes a project with them. This example makes its own from
// what the server knows of its types.
import { createFileRegistry } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { Code, connect, WeftError } from "@weft-run/client";

const client = connect(process.env.WEFT_ADDR ?? "127.0.0.1:7070");
try {
  const progress = (sent) => console.log(`${sent} bytes sent`);
  const deployed = await client.deploy(process.argv[2], { name: "orders" }, { progress });
  console.log(`orders has revision ${deployed.function.revision}`);
  for (const service of (await client.get("orders")).function.services) {
    for (const method of service.methods) {
      console.log(`  ${service.name}/${method.name}: ${method.signature}`);
    }
  }

  const types = createFileRegistry((await client.schema("orders")).files);
  const orders = createClient(types.getService("demo.orders.v1.Orders"), client.transport());
  console.log(`the loom book costs ${(await orders.find({ sku: "book-loom" })).value.price} cents`);
  try {
    await orders.find({ sku: "unobtainium" }, { timeoutMs: 5000 });
  } catch (error) {
    if (!(error instanceof WeftError)) throw error;
    console.log(`${Code[error.code]}: ${error.message} (${error.details[0].type})`);
  }

  for await (const line of client.logs("orders", { tail: 10 })) {
    console.log(line.message);
  }
} finally {
  client.close();
}
