//! What `wasmtime serve` answers in the benchmark: as little as a function behind HTTP can.

use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

const HELLO: &[u8] = b"hello, world\n";

struct Component;

impl Guest for Component {
    fn handle(_: IncomingRequest, outparam: ResponseOutparam) {
        let headers = Fields::new();
        let length = HELLO.len().to_string();
        headers
            .set("content-length", &[length.into_bytes()])
            .expect("the header may be set");
        let response = OutgoingResponse::new(headers);
        let body = response.body().expect("the body is taken once");
        ResponseOutparam::set(outparam, Ok(response));
        let stream = body.write().expect("the stream is taken once");
        stream.blocking_write_and_flush(HELLO).expect("the caller reads");
        drop(stream);
        OutgoingBody::finish(body, None).expect("the length is right");
    }
}

wasi::http::proxy::export!(Component);
