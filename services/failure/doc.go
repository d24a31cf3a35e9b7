// Package failure says what went wrong as a gRPC status. It is the one place that knows which code an error of weft
// has.
//
// A caller can tell three kinds of errors apart by the details of the status:
//
//   - an error that the function returned itself carries the error as a typed detail, and no ErrorInfo ([FromCall]);
//   - everything else that weft reports carries a google.rpc.ErrorInfo with domain "weft" and a reason;
//   - an error of the transport (the connection broke, the encoding is unknown) carries neither.
//
// A status travels in HTTP/2 trailers, and many clients refuse more than 8 KiB of those. So every status from here is
// cut to fit, and its message is valid UTF-8.
package failure
