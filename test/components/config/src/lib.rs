//! A component that gives its callers what wasi:config gives it, for tests.

wit_bindgen::generate!({
    world: "config",
    path: "wit",
    generate_all,
});

use crate::exports::test::config::reader::{Failure, Guest, Pair, Value};
use crate::wasi::config0_2_0_draft::{runtime, store};
use crate::wasi::config0_2_0_rc_1::store as store_rc;

struct Component;

export!(Component);

impl Guest for Component {
    fn get(key: String) -> Result<Value, Failure> {
        match store::get(&key) {
            Ok(text) => Ok(Value { text }),
            Err(store::Error::Upstream(why)) => Err(Failure::Upstream(why)),
            Err(store::Error::Io(why)) => Err(Failure::Io(why)),
        }
    }

    fn all() -> Result<Vec<Pair>, Failure> {
        match store::get_all() {
            Ok(pairs) => Ok(pairs.into_iter().map(|(key, text)| Pair { key, text }).collect()),
            Err(store::Error::Upstream(why)) => Err(Failure::Upstream(why)),
            Err(store::Error::Io(why)) => Err(Failure::Io(why)),
        }
    }

    fn get_rc(key: String) -> Result<Value, Failure> {
        match store_rc::get(&key) {
            Ok(text) => Ok(Value { text }),
            Err(store_rc::Error::Upstream(why)) => Err(Failure::Upstream(why)),
            Err(store_rc::Error::Io(why)) => Err(Failure::Io(why)),
        }
    }

    fn get_runtime(key: String) -> Result<Value, Failure> {
        match runtime::get(&key) {
            Ok(text) => Ok(Value { text }),
            Err(runtime::ConfigError::Upstream(why)) => Err(Failure::Upstream(why)),
            Err(runtime::ConfigError::Io(why)) => Err(Failure::Io(why)),
        }
    }
}
