//! Calls of functions whose parameters and results are bytes, `list<u8>` and `string`. The C API moves lists one element
//! of 32 bytes at a time. Guests call those of the host by `given.rs`.

use std::mem::MaybeUninit;

use wasmtime::component::__internal::{
    CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext,
};
use wasmtime::component::{ComponentNamedList, ComponentType, Func, Lift, Lower};
use wasmtime::{Result, Store, bail};
use wasmtime_c_api::{WasmtimeStoreData, wasm_byte_vec_t, wasmtime_error_t, wasmtime_store_t};

use crate::inside;

/// Calls a function whose parameters, four at most, and results are `list<u8>` or `string`; one of any other type is an
/// error, as is an argument for a string that is not UTF-8. `returns` says what it returns: 0 nothing, 1 bytes, and a
/// result whose cases have bytes or not, 2 both, 3 only ok, 4 only err, 5 neither.
///
/// On success, `out` holds the bytes, copied before the function's post-return runs, and is to be freed with
/// `wasm_byte_vec_delete`. `failed` says that they are those of an err.
///
/// # Safety
///
/// `args` must point to so many arguments, unless there are none, and each of them to its bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_lts_call_bytes(
    func: &Func,
    store: &mut wasmtime_store_t,
    args: *const wasm_byte_vec_t,
    nargs: usize,
    returns: u8,
    out: &mut wasm_byte_vec_t,
    failed: &mut bool,
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: the caller says so.
    let arg = |n: usize| Argument(unsafe { (*args.add(n)).as_slice() });
    let store = inside::store(store);
    let result = match nargs {
        0 => call(func, store, (), returns),
        1 => call(func, store, (arg(0),), returns),
        2 => call(func, store, (arg(0), arg(1)), returns),
        3 => call(func, store, (arg(0), arg(1), arg(2)), returns),
        4 => call(func, store, (arg(0), arg(1), arg(2), arg(3)), returns),
        _ => Err(wasmtime::format_err!(
            "{nargs} arguments of bytes, where four are the most"
        )),
    };
    match result {
        Ok(outcome) => {
            *failed = outcome.is_err();
            out.set_buffer(outcome.unwrap_or_else(|err| err));
            None
        }
        Err(error) => Some(Box::new(error.into())),
    }
}

/// The bytes of a result, or those of its err.
type Outcome = Result<Vec<u8>, Vec<u8>>;

fn call<P>(
    func: &Func,
    store: &mut Store<WasmtimeStoreData>,
    args: P,
    returns: u8,
) -> Result<Outcome>
where
    P: ComponentNamedList + Lower,
{
    match returns {
        0 => typed::<P, ()>(func, store, args).map(|()| Ok(Vec::new())),
        1 => typed::<P, (Answer,)>(func, store, args).map(|(answer,)| Ok(answer.0)),
        2 => either::<P, Answer, Answer>(func, store, args),
        3 => either::<P, Answer, ()>(func, store, args),
        4 => either::<P, (), Answer>(func, store, args),
        5 => either::<P, (), ()>(func, store, args),
        _ => bail!("{returns} is nothing that functions return"),
    }
}

fn either<P, T, E>(func: &Func, store: &mut Store<WasmtimeStoreData>, args: P) -> Result<Outcome>
where
    P: ComponentNamedList + Lower,
    T: Payload + Lift + 'static,
    E: Payload + Lift + 'static,
{
    let (result,) = typed::<P, (Result<T, E>,)>(func, store, args)?;
    Ok(result.map(T::bytes).map_err(E::bytes))
}

fn typed<P, R>(func: &Func, store: &mut Store<WasmtimeStoreData>, args: P) -> Result<R>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    func.typed::<P, R>(&*store)?.call(store, args)
}

/// What a case of a result has.
trait Payload {
    fn bytes(self) -> Vec<u8>;
}

impl Payload for () {
    fn bytes(self) -> Vec<u8> {
        Vec::new()
    }
}

impl Payload for Answer {
    fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Bytes for a guest, as a `list<u8>` or a `string`.
pub struct Argument<B>(pub B);

/// A result, from either.
struct Answer(Vec<u8>);

/// How both are laid out, which is the same: a pointer and a size.
pub type Pair = <[u8] as ComponentType>::Lower;

/// Accepts a `list<u8>` and a `string`.
pub fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
    match ty {
        InterfaceType::String => Ok(()),
        _ => <[u8]>::typecheck(ty, types),
    }
}

// SAFETY: strings and lists have one layout, and what is done with a type is left to those of wasmtime for it.
unsafe impl<B: AsRef<[u8]> + Send + Sync> ComponentType for Argument<B> {
    type Lower = Pair;
    const ABI: CanonicalAbiInfo = <[u8]>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        typecheck(ty, types)
    }
}

// SAFETY: as above.
unsafe impl<B: AsRef<[u8]> + Send + Sync> Lower for Argument<B> {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<Pair>,
    ) -> Result<()> {
        let bytes = self.0.as_ref();
        match ty {
            InterfaceType::String => str::from_utf8(bytes)?.linear_lower_to_flat(cx, ty, dst),
            _ => bytes.linear_lower_to_flat(cx, ty, dst),
        }
    }

    fn linear_lower_to_memory<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        offset: usize,
    ) -> Result<()> {
        let bytes = self.0.as_ref();
        match ty {
            InterfaceType::String => str::from_utf8(bytes)?.linear_lower_to_memory(cx, ty, offset),
            _ => bytes.linear_lower_to_memory(cx, ty, offset),
        }
    }
}

// SAFETY: as above.
unsafe impl ComponentType for Answer {
    type Lower = Pair;
    const ABI: CanonicalAbiInfo = <[u8]>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        typecheck(ty, types)
    }
}

// SAFETY: as above.
unsafe impl Lift for Answer {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &Pair,
    ) -> Result<Self> {
        Ok(Self(match ty {
            InterfaceType::String => String::linear_lift_from_flat(cx, ty, src)?.into_bytes(),
            _ => Vec::linear_lift_from_flat(cx, ty, src)?,
        }))
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        Ok(Self(match ty {
            InterfaceType::String => String::linear_lift_from_memory(cx, ty, bytes)?.into_bytes(),
            _ => Vec::linear_lift_from_memory(cx, ty, bytes)?,
        }))
    }
}
