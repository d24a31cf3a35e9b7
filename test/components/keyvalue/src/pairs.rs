//! wasi:keyvalue@0.2.0-draft2.

use crate::exports::test::keyvalue::pairs::{Guest, Page};
use crate::wasi::keyvalue0_2_0_draft2::{atomics, batch, store};
use crate::{Component, text};
use atomics::CasError;
use store::{Bucket, Error};

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
    fn get(bucket: String, key: String) -> Result<Option<String>, String> {
        Ok(store::open(&bucket)?.get(&key)?.map(text))
    }

    fn set(bucket: String, key: String, value: String) -> Result<(), String> {
        Ok(store::open(&bucket)?.set(&key, value.as_bytes())?)
    }

    fn delete(bucket: String, key: String) -> Result<(), String> {
        Ok(store::open(&bucket)?.delete(&key)?)
    }

    fn exists(bucket: String, key: String) -> Result<bool, String> {
        Ok(store::open(&bucket)?.exists(&key)?)
    }

    fn list_keys(bucket: String, cursor: Option<String>) -> Result<Page, String> {
        let page = store::open(&bucket)?.list_keys(cursor.as_deref())?;
        Ok(Page { keys: page.keys, cursor: page.cursor })
    }

    fn get_many(bucket: String, keys: Vec<String>) -> Result<Vec<(String, Option<String>)>, String> {
        let found = batch::get_many(&store::open(&bucket)?, &keys)?;
        Ok(found.into_iter().map(|(key, value)| (key, value.map(text))).collect())
    }

    fn set_many(bucket: String, pairs: Vec<(String, String)>) -> Result<(), String> {
        let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| (key, value.into_bytes())).collect();
        Ok(batch::set_many(&store::open(&bucket)?, &pairs)?)
    }

    fn delete_many(bucket: String, keys: Vec<String>) -> Result<(), String> {
        Ok(batch::delete_many(&store::open(&bucket)?, &keys)?)
    }

    fn increment(bucket: String, key: String, delta: i64) -> Result<i64, String> {
        Ok(atomics::increment(&store::open(&bucket)?, &key, delta)?)
    }

    fn append(bucket: String, key: String, text: String) -> Result<u32, String> {
        let mut handle = atomics::Cas::new(&store::open(&bucket)?, &key)?;
        for swaps in 1.. {
            let mut value = handle.current()?.unwrap_or_default();
            value.extend(text.as_bytes());
            match atomics::swap(handle, &value) {
                Ok(()) => return Ok(swaps),
                Err(CasError::CasFailed(fresh)) => handle = fresh,
                Err(CasError::StoreError(error)) => return Err(error.into()),
            }
        }
        unreachable!()
    }

    fn swap_late(bucket: String, key: String, set: String, swap: String) -> Result<Option<String>, String> {
        let bucket = store::open(&bucket)?;
        let handle = atomics::Cas::new(&bucket, &key)?;
        bucket.set(&key, set.as_bytes())?;
        match atomics::swap(handle, swap.as_bytes()) {
            Ok(()) => Err("the swap was made".into()),
            Err(CasError::CasFailed(fresh)) => Ok(fresh.current()?.map(text)),
            Err(CasError::StoreError(error)) => Err(error.into()),
        }
    }

    fn current_size(bucket: String, key: String) -> Result<u32, String> {
        let value = atomics::Cas::new(&store::open(&bucket)?, &key)?.current()?;
        Ok(value.map_or(0, |value| value.len() as u32))
    }

    fn set_size(bucket: String, key: String, size: u32) -> Result<(), String> {
        Ok(store::open(&bucket)?.set(&key, &vec![b'v'; size as usize])?)
    }

    fn open_many(count: u32, keep: bool) -> Result<(), String> {
        let mut kept: Vec<Bucket> = Vec::new();
        for _ in 0..count {
            let bucket = store::open("")?;
            if keep {
                kept.push(bucket);
            }
        }
        Ok(())
    }
}
