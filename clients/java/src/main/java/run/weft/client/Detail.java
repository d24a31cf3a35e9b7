package run.weft.client;

import com.google.protobuf.ByteString;

/**
 * One typed detail of an error.
 *
 * @param type the full name of its message: "demo.orders.v1.Refusal"
 * @param value the message in protobuf's wire format
 */
public record Detail(String type, ByteString value) {}
