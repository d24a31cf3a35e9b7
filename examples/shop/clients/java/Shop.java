import demo.checkout.v1.Basket;
import demo.checkout.v1.CheckoutGrpc;
import demo.checkout.v1.Item;
import demo.checkout.v1.PlaceRequest;
import demo.checkout.v1.Refusal;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.TimeUnit;
import run.weft.client.WeftClient;
import run.weft.client.WeftException;

/** Places an order at a shop whose functions are in five languages: java Shop ADDRESS */
public final class Shop {
  public static void main(String[] args) {
    try (WeftClient client = WeftClient.connect(args[0])) {
      var checkout = CheckoutGrpc.newBlockingStub(client.channel());
      var receipt = checkout.withDeadlineAfter(30, TimeUnit.SECONDS).place(order(5)).getValue();
      System.out.printf("receipt %s: %d cents, %d saved%n", receipt.getNumber(), receipt.getTotal(), receipt.getSaved());
      try {
        checkout.withDeadlineAfter(30, TimeUnit.SECONDS).place(order(500));
      } catch (StatusRuntimeException e) {
        WeftException.of(e).detail(Refusal.getDefaultInstance()).ifPresent(Shop::tell);
      }
    }
  }

  private static PlaceRequest order(int quantity) {
    var basket =
        Basket.newBuilder()
            .setCustomer("Ada")
            .addItems(Item.newBuilder().setSku("yarn-indigo").setQuantity(quantity))
            .addItems(Item.newBuilder().setSku("book-loom").setQuantity(1))
            .addCoupons("FIVER");
    return PlaceRequest.newBuilder().setBasket(basket).build();
  }

  private static void tell(Refusal refusal) {
    for (var s : refusal.getOutOfStock().getItemsList()) {
      System.out.printf("refused: %d x %s, there are %d%n", s.getWanted(), s.getSku(), s.getAvailable());
    }
  }
}
