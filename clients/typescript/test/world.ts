// What the tests run against. test/sdk starts it, and says in the environment where it is.
import { connect, type Client } from "@weft-run/client";

function where(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`no ${name}: 'go test ./test/sdk' starts a node and runs these tests`);
  }
  return value;
}

/** A node, and the same node behind TLS with the file of the certificate to trust. */
export const address = where("WEFT_ADDR");
export const tlsAddress = where("WEFT_TLS_ADDR");
export const ca = where("WEFT_CA");
/** A server that fails as it is asked to. */
export const fakeAddress = where("WEFT_FAKE_ADDR");
/** A server that never answers. */
export const silentAddress = where("WEFT_SILENT_ADDR");
/** The file of orders.wasm. */
export const component = where("WEFT_COMPONENT");

export const namespace = "typescript";

/** A client of the node. */
export function onNode(): Client {
  return connect(address, { namespace });
}

/** Kills the node and starts it again on the same port. */
export async function restart(): Promise<void> {
  const response = await fetch(where("WEFT_CONTROL"), { method: "POST" });
  if (!response.ok) {
    throw new Error(await response.text());
  }
}

/** The error that a promise is rejected with, which must be one of a class. */
export async function thrown<T extends Error>(kind: new (...args: never[]) => T, promise: Promise<unknown>): Promise<T> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof kind) {
      return error;
    }
    throw error;
  }
  throw new Error("nothing was thrown");
}
