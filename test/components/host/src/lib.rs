//! A function that shows what weft's own interfaces give it.

wit_bindgen::generate!({ world: "host", path: "wit", generate_all });

use exports::test::host::probe::{self, Answer, Facts, Field};
use exports::test::host::who;
use weft::http::client::{self, Error, Header, Request};
use weft::runtime::context::{self, Revision};

struct Component;

impl probe::Guest for Component {
    fn about() -> Facts {
        Facts {
            self_: name(&context::self_()),
            call_id: context::call_id(),
            deadline_left: context::deadline_left(),
            caller: context::caller().as_ref().map(name),
            metadata: context::metadata().into_iter().map(|(name, value)| Field { name, value }).collect(),
            traceparent: context::traceparent(),
            trace_id: context::trace_id(),
        }
    }

    fn fetch(
        method: String,
        url: String,
        headers: Vec<Field>,
        body: Vec<u8>,
        timeout: Option<u64>,
    ) -> Result<Answer, String> {
        let headers = headers.into_iter().map(|f| Header { name: f.name, value: f.value }).collect();
        let response = client::send(&Request { method, url, headers, body, timeout }).map_err(text)?;
        Ok(Answer {
            status: response.status,
            headers: response.headers.into_iter().map(|h| Field { name: h.name, value: h.value }).collect(),
            body: response.body,
            url: response.url,
        })
    }
}

impl who::Guest for Component {
    fn caller() -> String {
        context::caller().as_ref().map(name).unwrap_or_default()
    }
}

fn name(revision: &Revision) -> String {
    format!("{}/{}@{}", revision.namespace, revision.function, revision.number)
}

fn text(error: Error) -> String {
    let (case, message) = match error {
        Error::InvalidRequest(m) => ("invalid-request", m),
        Error::NotAllowed(m) => ("not-allowed", m),
        Error::Unreachable(m) => ("unreachable", m),
        Error::Tls(m) => ("tls", m),
        Error::Timeout(m) => ("timeout", m),
        Error::RequestTooLarge(m) => ("request-too-large", m),
        Error::ResponseTooLarge(m) => ("response-too-large", m),
        Error::Redirect(m) => ("redirect", m),
        Error::Protocol(m) => ("protocol", m),
    };
    format!("{case}: {message}")
}

export!(Component);
