import { open } from "node:fs/promises";

/** A component: the path of its file, its bytes, or a stream of them. */
export type Component = string | URL | Uint8Array | AsyncIterable<Uint8Array>;

const chunkSize = 256 << 10; // how much of a component one message carries

/** A component in chunks, with its size where that is known. Read the chunks to their end, or close them. */
export interface Chunks {
  readonly size: bigint;
  readonly chunks: AsyncGenerator<Uint8Array>;
}

/** Opens a component. Fails if its file can't be opened. */
export async function chunksOf(component: Component): Promise<Chunks> {
  if (component instanceof Uint8Array) {
    return { size: BigInt(component.length), chunks: pieces(component) };
  }
  if (typeof component !== "string" && !(component instanceof URL)) {
    return { size: 0n, chunks: each(component) };
  }
  const file = await open(component);
  try {
    const { size } = await file.stat();
    return { size: BigInt(size), chunks: each(file.createReadStream({ highWaterMark: chunkSize })) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkSize) {
    yield bytes.subarray(at, at + chunkSize);
  }
}

async function* each(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const bytes of stream) {
    yield* pieces(bytes);
  }
}
