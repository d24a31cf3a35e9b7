//! Functions of the host whose parameters and results are bytes, `list<u8>` and `string`, for guests to call.

use std::borrow::Cow;
use std::ffi::c_void;

use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext};
use wasmtime::component::{
    ComponentNamedList, ComponentType, Lift, LinkerInstance, Lower, WasmList, WasmStr,
};
use wasmtime::{AsContext, Result, StoreContextMut, bail};
use wasmtime_c_api::{
    WasmtimeStoreData, wasm_byte_vec_t, wasmtime_component_linker_instance_t, wasmtime_error_t,
};

use crate::bytes::{Argument, Pair, typecheck};
use crate::inside;

/// What a function does. `guest` is the data of the store that calls. The arguments lie in its memory, at `args` with these
/// `sizes`, and may be read until this returns. `out` takes what it returns, for which `wasm_byte_vec_new` makes room, and
/// `failed` says that those are the bytes of an err. An error traps the guest.
type Callback = extern "C" fn(
    data: *mut c_void,
    guest: *mut c_void,
    args: *const *const u8,
    sizes: *const usize,
    nargs: usize,
    out: &mut wasm_byte_vec_t,
    failed: &mut bool,
) -> Option<Box<wasmtime_error_t>>;

/// Defines a function of so many parameters, four at most, in an instance of a linker. `returns` is what
/// `weft_lts_call_bytes` knows by the same numbers. A component that imports it with other types can't be instantiated.
/// `finalizer` is called with `data` when the function is gone, or was not defined.
///
/// # Safety
///
/// `name` must point to so many bytes of UTF-8, and `callback` and `data` be good for any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_lts_define_bytes(
    linker: &mut wasmtime_component_linker_instance_t<'_>,
    name: *const u8,
    size: usize,
    nargs: usize,
    returns: u8,
    callback: Callback,
    data: *mut c_void,
    finalizer: extern "C" fn(*mut c_void),
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: the caller says so.
    let name = unsafe { std::slice::from_raw_parts(name, size) };
    let function = Function {
        callback,
        data,
        finalizer,
    };
    let linker = inside::linker_instance(linker);
    let defined = match nargs {
        0 => define::<()>(linker, name, returns, function),
        1 => define::<(Given,)>(linker, name, returns, function),
        2 => define::<(Given, Given)>(linker, name, returns, function),
        3 => define::<(Given, Given, Given)>(linker, name, returns, function),
        4 => define::<(Given, Given, Given, Given)>(linker, name, returns, function),
        _ => Err(wasmtime::format_err!(
            "{nargs} parameters of bytes, where four are the most"
        )),
    };
    defined.err().map(|error| Box::new(error.into()))
}

/// A function of the host.
struct Function {
    callback: Callback,
    data: *mut c_void,
    finalizer: extern "C" fn(*mut c_void),
}

// SAFETY: the caller of weft_lts_define_bytes says so.
unsafe impl Send for Function {}
unsafe impl Sync for Function {}

impl Drop for Function {
    fn drop(&mut self) {
        (self.finalizer)(self.data);
    }
}

fn define<P>(
    linker: &mut LinkerInstance<'_, WasmtimeStoreData>,
    name: &[u8],
    returns: u8,
    function: Function,
) -> Result<()>
where
    P: Row + ComponentNamedList + Lift + 'static,
{
    let name = str::from_utf8(name)?;
    match returns {
        0 => wrap::<P, ()>(linker, name, function),
        1 => wrap::<P, (Vector,)>(linker, name, function),
        2 => wrap::<P, (Result<Vector, Vector>,)>(linker, name, function),
        3 => wrap::<P, (Result<Vector, ()>,)>(linker, name, function),
        4 => wrap::<P, (Result<(), Vector>,)>(linker, name, function),
        5 => wrap::<P, (Result<(), ()>,)>(linker, name, function),
        _ => bail!("{returns} is nothing that functions return"),
    }
}

fn wrap<P, R>(
    linker: &mut LinkerInstance<'_, WasmtimeStoreData>,
    name: &str,
    function: Function,
) -> Result<()>
where
    P: Row + ComponentNamedList + Lift + 'static,
    R: Returned + ComponentNamedList + Lower + 'static,
{
    linker.func_wrap(name, move |store, row: P| {
        function.call::<P, R>(&store, &row)
    })
}

impl Function {
    fn call<P, R>(&self, store: &StoreContextMut<'_, WasmtimeStoreData>, row: &P) -> Result<R>
    where
        P: Row,
        R: Returned,
    {
        let mut bytes = Vec::new();
        for given in row.row().as_ref() {
            bytes.push(given.bytes(store)?);
        }
        let args: Vec<_> = bytes.iter().map(|b| b.as_ptr()).collect();
        let sizes: Vec<_> = bytes.iter().map(|b| b.len()).collect();
        let mut out = Vec::new().into();
        let mut failed = false;
        let guest = wasmtime_c_api::wasmtime_context_get_data(store.as_context());
        let error = (self.callback)(
            self.data,
            guest,
            args.as_ptr(),
            sizes.as_ptr(),
            args.len(),
            &mut out,
            &mut failed,
        );
        match error {
            None => R::of(out.take(), failed),
            Some(error) => Err((*error).into()),
        }
    }
}

/// Arguments of a function.
trait Row {
    fn row(&self) -> impl AsRef<[&Given]>;
}

impl Row for () {
    fn row(&self) -> impl AsRef<[&Given]> {
        []
    }
}

impl Row for (Given,) {
    fn row(&self) -> impl AsRef<[&Given]> {
        [&self.0]
    }
}

impl Row for (Given, Given) {
    fn row(&self) -> impl AsRef<[&Given]> {
        [&self.0, &self.1]
    }
}

impl Row for (Given, Given, Given) {
    fn row(&self) -> impl AsRef<[&Given]> {
        [&self.0, &self.1, &self.2]
    }
}

impl Row for (Given, Given, Given, Given) {
    fn row(&self) -> impl AsRef<[&Given]> {
        [&self.0, &self.1, &self.2, &self.3]
    }
}

/// What a function returns.
trait Returned: Sized {
    fn of(bytes: Vec<u8>, failed: bool) -> Result<Self>;
}

impl Returned for () {
    fn of(_: Vec<u8>, _: bool) -> Result<Self> {
        Ok(())
    }
}

impl Returned for (Vector,) {
    fn of(bytes: Vec<u8>, failed: bool) -> Result<Self> {
        if failed {
            bail!("the function returns no result that could be an err");
        }
        Ok((Argument(bytes),))
    }
}

impl<T: Case, E: Case> Returned for (Result<T, E>,) {
    fn of(bytes: Vec<u8>, failed: bool) -> Result<Self> {
        Ok((if failed {
            Err(E::of(bytes))
        } else {
            Ok(T::of(bytes))
        },))
    }
}

/// What a case of a result has.
trait Case {
    fn of(bytes: Vec<u8>) -> Self;
}

impl Case for () {
    fn of(_: Vec<u8>) -> Self {}
}

impl Case for Vector {
    fn of(bytes: Vec<u8>) -> Self {
        Argument(bytes)
    }
}

type Vector = Argument<Vec<u8>>;

/// An argument that a guest gives, a `list<u8>` or a `string` in its memory.
enum Given {
    List(WasmList<u8>),
    Text(WasmStr),
}

impl Given {
    fn bytes<'a>(
        &self,
        store: &'a StoreContextMut<'_, WasmtimeStoreData>,
    ) -> Result<Cow<'a, [u8]>> {
        Ok(match self {
            Self::List(list) => Cow::Borrowed(list.as_le_slice(store.as_context())),
            Self::Text(text) => match text.to_str(store.as_context())? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        })
    }
}

// SAFETY: strings and lists have one layout, and what is done with a type is left to those of wasmtime for it.
unsafe impl ComponentType for Given {
    type Lower = Pair;
    const ABI: CanonicalAbiInfo = <[u8]>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        typecheck(ty, types)
    }
}

// SAFETY: as above.
unsafe impl Lift for Given {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &Pair,
    ) -> Result<Self> {
        Ok(match ty {
            InterfaceType::String => Self::Text(WasmStr::linear_lift_from_flat(cx, ty, src)?),
            _ => Self::List(WasmList::linear_lift_from_flat(cx, ty, src)?),
        })
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        Ok(match ty {
            InterfaceType::String => Self::Text(WasmStr::linear_lift_from_memory(cx, ty, bytes)?),
            _ => Self::List(WasmList::linear_lift_from_memory(cx, ty, bytes)?),
        })
    }
}
