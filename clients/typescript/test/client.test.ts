import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { Code, connect, defaultRetry, WeftError, type Client } from "@weft-run/client";
import { Orders, OrderSchema, type PlaceRequestSchema, RefusalSchema } from "./stubs/demo/orders/v1/orders_pb.js";
import { address, ca, component, fakeAddress, namespace, onNode, restart, silentAddress, thrown, tlsAddress } from "./world.js";

let client: Client;

before(async () => {
  client = onNode();
  await client.deploy(component, { name: "orders", wait: { seconds: 60n } });
});

after(() => client.close());

function order(customer: string): MessageInitShape<typeof PlaceRequestSchema> {
  const items = [{ sku: "book-loom", quantity: 1 }];
  return { order: { customer, items, delivery: { kind: { case: "pickup", value: {} } } } };
}

test("deploy with progress, change and delete", async () => {
  const sent: number[] = [];
  const { size } = await stat(component);
  const deployed = await client.deploy(
    component,
    { name: "deployed", environment: { A: "b" }, limits: { concurrency: 2 } },
    { progress: (n) => sent.push(n) },
  );
  assert.equal(deployed.function?.namespace, namespace);
  assert.equal(sent.at(-1), size);
  assert.ok(sent.length > 1);
  await client.deploy(await readFile(component), { name: "deployed" });
  await client.deploy(createReadStream(component), { name: "deployed" });
  assert.equal((await client.diff(component, { name: "deployed" })).breaking, false);
  assert.equal((await client.get("deployed", { consistency: "linearizable" })).function?.revision, 3);

  const updated = await client.update({ name: "deployed", limits: { concurrency: 3 } });
  assert.equal(updated.function?.revisions.at(-1)?.limits?.concurrency, 3);
  assert.equal(await client.route("demo.orders.v1.Orders", "deployed"), "orders");
  assert.equal(await client.route("demo.orders.v1.Orders", "orders"), "deployed");
  assert.equal(await client.delete("deployed"), 4);
});

test("bad deploys", async () => {
  const notWasm = await thrown(WeftError, client.deploy(Buffer.from("not WebAssembly"), { name: "bad" }));
  assert.equal(notWasm.code, Code.InvalidArgument);
  assert.equal(notWasm.reason, "NOT_WASM");
  await assert.rejects(client.deploy("missing.wasm", { name: "bad" }), /ENOENT/);
  async function* broken() {
    yield (await readFile(component)).subarray(0, 1000);
    throw new Error("the disk is gone");
  }
  await assert.rejects(client.deploy(broken(), { name: "bad" }), /^Error: the disk is gone$/);
  const fail = () => {
    throw new RangeError("no more");
  };
  await assert.rejects(client.deploy(component, { name: "bad" }, { progress: fail }), RangeError);
  const missing = await thrown(WeftError, client.get("bad"));
  assert.equal(missing.reason, "NOT_FOUND");
});

test("reads", async () => {
  assert.ok((await client.list()).functions.some((f) => f.name === "orders"));
  const answer = await client.get("orders", { consistency: "stale" });
  assert.deepEqual(answer.function?.services.map((s) => s.name), ["demo.orders.v1.Orders"]);
  assert.ok((await client.schema("orders")).contracts.some((c) => c.package === "demo.orders.v1"));
  const { node } = await client.status();
  assert.ok((await client.nodes()).nodes.some((n) => n.name === node));
  const missing = await thrown(WeftError, client.get("nobody"));
  assert.equal(missing.code, Code.NotFound);
  assert.equal(missing.reason, "NOT_FOUND");
  assert.match(missing.message, /nobody/);
});

test("secrets", async () => {
  assert.equal(await client.setSecret("ts/password", "pässword"), 1n);
  assert.equal(await client.setSecret("ts/password", new TextEncoder().encode("other")), 2n);
  assert.equal(await client.setSecret("ts/password", "own", { function: "orders" }), 1n);
  const found = (await client.secrets()).secrets.filter((s) => s.key === "ts/password");
  assert.deepEqual(found.map((s) => [s.function, s.version, s.sizeBytes]), [["", 2n, 5], ["orders", 1n, 3]]);
  await client.deleteSecret("ts/password");
  await client.deleteSecret("ts/password", { function: "orders" });
  assert.equal((await thrown(WeftError, client.deleteSecret("ts/password"))).reason, "NOT_FOUND");
  assert.match((await thrown(WeftError, client.setSecret("ts/large", "x".repeat(1 << 20)))).message, /64 KiB/);
});

test("drain", async () => {
  const { node } = await client.status();
  try {
    await client.drain(node);
    assert.match((await client.nodes()).nodes[0]?.state ?? "", /^drain(ing|ed)$/);
  } finally {
    await client.undrain(node);
  }
  assert.equal((await client.nodes()).nodes[0]?.state, "alive");
});

test("calls with stubs, and a typed error with its detail", async () => {
  const orders = createClient(Orders, client.transport());
  assert.equal((await orders.find({ sku: "book-loom" }, { timeoutMs: 30_000 })).value?.price, 2450n);
  const refused = await thrown(WeftError, orders.find({ sku: "unobtainium" }, { timeoutMs: 30_000 }));
  assert.equal(refused.code, Code.NotFound);
  assert.equal(refused.reason, "");
  assert.deepEqual(refused.detail(RefusalSchema)?.kind, { case: "notFound", value: "unobtainium" });
  assert.equal(refused.detail(OrderSchema), undefined);
});

test("a function and a revision", async () => {
  const first = createClient(Orders, client.transport({ function: "orders", revision: 1 }));
  const sent = new Map<string, string>();
  const keep = (headers: Headers) => headers.forEach((value, key) => sent.set(key, value));
  await first.find({ sku: "book-loom" }, { timeoutMs: 30_000, onHeader: keep, onTrailer: keep });
  assert.equal(sent.get("weft-function"), "orders");
  assert.equal(sent.get("weft-revision"), "1");
  for (const target of [{ function: "nobody" }, { revision: 999 }]) {
    const orders = createClient(Orders, client.transport(target));
    assert.notEqual((await thrown(WeftError, orders.find({ sku: "book-loom" }))).reason, "");
  }
});

test("logs", async () => {
  const orders = createClient(Orders, client.transport());
  await orders.place(order("ada"));
  const lines = client.logs("orders", { follow: true });
  for (const customer of ["ada", "grace"]) {
    for (;;) {
      const { value } = await lines.next();
      if (value?.message.includes(customer)) break;
    }
    await orders.place(order("grace"));
  }
  const waiting = (async () => {
    for await (const _ of lines);
  })();
  lines.close();
  await waiting;

  let found = 0;
  for await (const line of client.logs("orders")) {
    found += line.message.includes("grace") ? 1 : 0;
  }
  assert.ok(found >= 1);
  for await (const _ of client.logs("orders", { follow: true })) break;
  const controller = new AbortController();
  const canceled = (async () => {
    for await (const _ of client.logs("orders", { follow: true, signal: controller.signal })) controller.abort();
  })();
  assert.equal((await thrown(WeftError, canceled)).code, Code.Canceled);
  assert.match((await thrown(WeftError, client.logs("nobody").next())).message, /nobody/);
});

test("deadlines and cancellation", async () => {
  const silent = connect(silentAddress, { timeoutMs: 50 });
  try {
    assert.equal((await thrown(WeftError, silent.get("slow"))).code, Code.DeadlineExceeded);
    assert.equal((await thrown(WeftError, silent.get("slow", { timeoutMs: 20 }))).code, Code.DeadlineExceeded);
    const controller = new AbortController();
    const canceled = silent.get("slow", { timeoutMs: 60_000, signal: controller.signal });
    controller.abort();
    assert.equal((await thrown(WeftError, canceled)).code, Code.Canceled);
  } finally {
    silent.close();
  }
});

test("retries", async () => {
  const fake = connect(fakeAddress);
  const once = connect(fakeAddress, { retry: false });
  const patient = connect(fakeAddress, { retry: { ...defaultRetry, initialBackoffMs: 3_600_000 } });
  try {
    assert.equal((await fake.get("flaky-typescript")).function?.revision, 3);
    const late = await thrown(WeftError, patient.get("flaky-typescript-late"));
    assert.equal(late.code, Code.Unavailable); // the second attempt would come too late
    assert.equal((await thrown(WeftError, once.get("flaky-typescript-once"))).code, Code.Unavailable);
  } finally {
    fake.close();
    once.close();
    patient.close();
  }
});

test("changes of a refused deploy", async () => {
  const fake = connect(fakeAddress);
  const refused = await thrown(WeftError, fake.get("breaks"));
  fake.close();
  assert.equal(refused.reason, "BREAKING_CHANGE");
  assert.deepEqual(refused.changes.map((c) => c.path), ["demo.v1.Order.note"]);
});

test("tokens and TLS", async () => {
  const fake = connect(fakeAddress, { token: "secret" });
  assert.equal((await fake.get("token")).function?.name, "Bearer secret");
  fake.close();
  assert.throws(() => connect("weft.example:7070", { token: "secret" }), /plain text/);

  const secure = connect(tlsAddress, { tls: { ca: await readFile(ca) }, token: "secret", namespace });
  assert.notEqual((await secure.status()).node, "");
  const found = await createClient(Orders, secure.transport()).find({ sku: "book-loom" });
  assert.equal(found.value?.price, 2450n);
  secure.close();

  const distrustful = connect(tlsAddress, { tls: true, retry: false });
  await thrown(WeftError, distrustful.status({ timeoutMs: 10_000 }));
  distrustful.close();
});

test("bad addresses", async () => {
  for (const bad of ["localhost", "", "a:b", "7070"]) {
    assert.throws(() => connect(bad), /host:port/);
  }
  const nobody = connect("127.0.0.1:1", { retry: false });
  assert.equal((await thrown(WeftError, nobody.status())).code, Code.Unavailable);
  nobody.close();
});

for (const how of ["end", "destroy", "resetAndDestroy"] as const) {
  test(`a connection that is lost in a call: ${how}`, async (context) => {
    let lost: Socket | undefined;
    const server = createServer();
    server.on("connection", (socket) => (lost = socket));
    server.on("sessionError", () => {}); // it was the one to break off
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      lost?.[how]();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    context.after(() => server.close());
    const own = connect(`127.0.0.1:${(server.address() as AddressInfo).port}`, { retry: false });
    context.after(() => own.close());
    const error = await thrown(WeftError, own.status());
    assert.equal(error.code, Code.Unavailable, error.message);
  });
}

test("a server that restarts", async () => {
  const own = connect(address, { namespace });
  await own.status();
  let over = false;
  const restarting = restart().finally(() => (over = true));
  const end = performance.now() + 60_000;
  for (let answered = false; !over || !answered; ) {
    try {
      answered = (await own.get("orders", { timeoutMs: 10_000 })).function?.name === "orders";
    } catch (error) {
      assert.ok(error instanceof WeftError);
      assert.ok([Code.Unavailable, Code.DeadlineExceeded].includes(error.code), `${Code[error.code]}: ${error.message}`);
      assert.ok(performance.now() < end);
      await sleep(50);
    }
  }
  await restarting;
  own.close();
});
