// Places an order at a shop whose functions are in five languages: node shop.js ADDRESS

import { createClient } from '@connectrpc/connect';
import { connect, WeftError } from '@weft-run/client';

import { Checkout, RefusalSchema } from './demo/checkout/v1/checkout_pb.js';

const order = (quantity: number) => ({
  basket: {
    customer: 'Ada',
    items: [
      { sku: 'yarn-indigo', quantity },
      { sku: 'book-loom', quantity: 1 },
    ],
    coupons: ['FIVER'],
  },
});

const client = connect(process.argv[2]!);
try {
  const checkout = createClient(Checkout, client.transport());
  const { value: receipt } = await checkout.place(order(5), { timeoutMs: 30_000 });
  console.log(`receipt ${receipt!.number}: ${receipt!.total} cents, ${receipt!.saved} saved`);
  try {
    await checkout.place(order(500), { timeoutMs: 30_000 });
  } catch (error) {
    if (!(error instanceof WeftError)) throw error;
    const kind = error.detail(RefusalSchema)?.kind;
    for (const short of kind?.case === 'outOfStock' ? kind.value.items : []) {
      console.log(`refused: ${short.wanted} x ${short.sku}, there are ${short.available}`);
    }
  }
} finally {
  client.close();
}
