//! wasi:keyvalue@0.2.0-draft.

use crate::exports::test::keyvalue::first_draft::Guest;
use crate::wasi::keyvalue0_2_0_draft::{atomics, batch, store};
use crate::{Component, text};
use store::Error;

impl From<Error> for String {
    fn from(error: Error) -> String {
        match error {
            Error::NoSuchStore => "no-such-store".into(),
            Error::AccessDenied => "access-denied".into(),
            Error::Other(text) => text,
        }
    }
}

impl Guest for Component {
    fn set(bucket: String, key: String, value: String) -> Result<(), String> {
        Ok(store::open(&bucket)?.set(&key, value.as_bytes())?)
    }

    fn get_many(bucket: String, keys: Vec<String>) -> Result<Vec<Option<(String, String)>>, String> {
        let found = batch::get_many(&store::open(&bucket)?, &keys)?;
        Ok(found.into_iter().map(|pair| pair.map(|(key, value)| (key, text(value)))).collect())
    }

    fn increment(bucket: String, key: String, delta: u64) -> Result<u64, String> {
        Ok(atomics::increment(&store::open(&bucket)?, &key, delta)?)
    }

    fn list_all(bucket: String) -> Result<(Vec<String>, u32), String> {
        let bucket = store::open(&bucket)?;
        let (mut keys, mut pages, mut cursor) = (Vec::new(), 0, None);
        loop {
            let page = bucket.list_keys(cursor)?;
            keys.extend(page.keys);
            pages += 1;
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok((keys, pages));
            }
        }
    }

    fn list_after(bucket: String, cursor: u64) -> Result<(), String> {
        store::open(&bucket)?.list_keys(Some(cursor))?;
        Ok(())
    }
}
