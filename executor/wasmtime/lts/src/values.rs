//! Calls with values in the C API's form, which go straight into the guest's memory and come straight from it. The C API's
//! own calls make a `Val` of each on the way, the engine's form, with a string for the name of each field.

use std::mem::MaybeUninit;
use std::slice::{self, IterMut};

use wasmtime::component::__internal::wasmtime_environ::component::{
    MAX_FLAT_PARAMS, StringEncoding, VariantInfo,
};
use wasmtime::component::__internal::{
    CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext,
};
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{ComponentNamedList, ComponentType, Func, Lift, Lower, Val};
use wasmtime::{Result, ValRaw, bail, format_err};
use wasmtime_c_api::{
    wasm_name_t, wasmtime_component_t, wasmtime_component_val_t,
    wasmtime_component_valrecord_entry_t, wasmtime_component_valresult_t,
    wasmtime_component_valvariant_t, wasmtime_error_t, wasmtime_store_t,
};

use crate::inside;

/// Says whether `weft_lts_call_values` can call an exported function, that of the world itself if there is no interface.
/// It has no resources, streams, futures, error contexts, maps and lists of fixed length, and what it returns, if that is
/// anything, lies in memory, as all does that takes more than one core value.
///
/// # Safety
///
/// The names must point to so many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_lts_takes_values(
    component: &wasmtime_component_t,
    interface: *const u8,
    interface_size: usize,
    name: *const u8,
    size: usize,
) -> bool {
    // SAFETY: the caller says so.
    let text = |data, size| str::from_utf8(unsafe { slice::from_raw_parts(data, size) }).ok();
    let component = inside::component(component);
    let find = || {
        let interface = match interface_size {
            0 => None,
            _ => Some(
                component
                    .get_export(None, text(interface, interface_size)?)?
                    .1,
            ),
        };
        component.get_export(interface.as_ref(), text(name, size)?)
    };
    match find() {
        Some((ComponentItem::ComponentFunc(func), _)) => takes_values(&func).is_some(),
        _ => false,
    }
}

fn takes_values(func: &ComponentFunc) -> Option<()> {
    let mut left = MOST_TYPES;
    for (_, ty) in func.params() {
        flat(&ty, &mut left)?;
    }
    let mut results = func.results();
    match results.next() {
        None => Some(()),
        Some(ty) => (flat(&ty, &mut left)? > 1 && results.next().is_none()).then_some(()),
    }
}

/// How many types are looked at in those of one function, where each use of one counts.
const MOST_TYPES: usize = 10_000;

/// Gives the number of core values that a type takes, or more, but more than one only if it does. None is for a type that
/// does not go straight, and for one with too many in it.
fn flat(ty: &Type, left: &mut usize) -> Option<usize> {
    *left = left.checked_sub(1)?;
    let mut sum = |types: &mut dyn Iterator<Item = Type>| {
        let mut sum = 0;
        for ty in types {
            sum += flat(&ty, left)?;
        }
        Some(sum)
    };
    match ty {
        Type::Bool | Type::Char | Type::Float32 | Type::Float64 | Type::Enum(_) => Some(1),
        Type::S8 | Type::U8 | Type::S16 | Type::U16 => Some(1),
        Type::S32 | Type::U32 | Type::S64 | Type::U64 => Some(1),
        Type::String => Some(2),
        Type::List(list) => sum(&mut [list.ty()].into_iter()).and(Some(2)),
        Type::Record(record) => sum(&mut record.fields().map(|field| field.ty)),
        Type::Tuple(tuple) => sum(&mut tuple.types()),
        Type::Flags(flags) => Some(flags.names().len().div_ceil(32)),
        // The sum of the cases is more than one where the largest is.
        Type::Variant(variant) => Some(1 + sum(&mut variant.cases().filter_map(|case| case.ty))?),
        Type::Option(option) => Some(1 + sum(&mut [option.ty()].into_iter())?),
        Type::Result(result) => Some(1 + sum(&mut result.ok().into_iter().chain(result.err()))?),
        _ => None,
    }
}

/// Calls a function that `weft_lts_takes_values` holds of; `returns` says whether it returns a value. An argument of
/// another type is an error. On success, `out` holds what it returned or NULL, and is to be freed with
/// `weft_lts_values_delete`. All that it points to is part of it; the names of the fields of records are left out.
///
/// # Safety
///
/// `args` must point to so many values, unless there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_lts_call_values(
    func: &Func,
    store: &mut wasmtime_store_t,
    args: *const wasmtime_component_val_t,
    nargs: usize,
    returns: bool,
    out: &mut *mut wasmtime_component_val_t,
) -> Option<Box<wasmtime_error_t>> {
    let args = match nargs {
        0 => &[],
        // SAFETY: the caller says so.
        _ => unsafe { slice::from_raw_parts(args, nargs) },
    };
    let store = inside::store(store);
    let result = match returns {
        false => func
            .typed::<Args, ()>(&*store)
            .and_then(|func| func.call(store, Args(args)))
            .map(|()| std::ptr::null_mut()),
        true => func
            .typed::<Args, Lifted>(&*store)
            .and_then(|func| func.call(store, Args(args)))
            .map(|lifted| Box::into_raw(lifted.0).cast()),
    };
    match result {
        Ok(value) => {
            *out = value;
            None
        }
        Err(error) => Some(Box::new(error.into())),
    }
}

/// Frees what `weft_lts_call_values` returned.
///
/// # Safety
///
/// It must be from there, and not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_lts_values_delete(value: *mut wasmtime_component_val_t) {
    // SAFETY: the caller says so.
    drop(unsafe { Box::from_raw(value.cast::<Answer>()) });
}

/// The arguments of a call.
struct Args<'a>(&'a [wasmtime_component_val_t]);

// SAFETY: nobody changes them while the call reads them.
unsafe impl Send for Args<'_> {}
// SAFETY: as above.
unsafe impl Sync for Args<'_> {}

// SAFETY: the lowered form has room for the most arguments that are passed without memory. How many there are, and of what
// types, is found when they are lowered.
unsafe impl ComponentType for Args<'_> {
    type Lower = [ValRaw; MAX_FLAT_PARAMS];
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo::ZERO;

    fn typecheck(_: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
        Ok(())
    }
}

// SAFETY: as above.
unsafe impl ComponentNamedList for Args<'_> {}

// SAFETY: as above; each core value that the function's type has is written.
unsafe impl Lower for Args<'_> {
    fn linear_lower_to_flat<T>(
        &self,
        cx: &mut LowerContext<'_, T>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<Self::Lower>,
    ) -> Result<()> {
        let InterfaceType::Tuple(params) = ty else {
            bail!("the parameters are no tuple");
        };
        let params = &cx.types[params];
        if params.types.len() != self.0.len() {
            let (want, have) = (params.types.len(), self.0.len());
            bail!("expected {want} argument(s), got {have}");
        }
        let args = params.types.iter().copied().zip(self.0);
        // SAFETY: an array that may not be initialized is one of elements that may not be.
        let dst: &mut [MaybeUninit<ValRaw>; MAX_FLAT_PARAMS] =
            unsafe { &mut *dst.as_mut_ptr().cast() };
        if params.abi.flat_count(MAX_FLAT_PARAMS).is_some() {
            return lower_all(cx, args, Place::Flat(&mut dst.iter_mut()));
        }
        let ptr = cx.realloc(0, 0, params.abi.align32, params.abi.size32 as usize)?;
        lower_all(cx, args, Place::Memory(ptr))?;
        dst[0].write(ValRaw::i64(ptr as i64));
        Ok(())
    }

    fn linear_lower_to_memory<T>(
        &self,
        _: &mut LowerContext<'_, T>,
        _: InterfaceType,
        _: usize,
    ) -> Result<()> {
        bail!("arguments are lowered as core values");
    }
}

/// Where a value is lowered to: the next core values, or memory at an offset, where the size of its type is in bounds.
enum Place<'d, 'a> {
    Flat(&'d mut IterMut<'a, MaybeUninit<ValRaw>>),
    Memory(usize),
}

impl Place<'_, '_> {
    fn number<T, N>(self, cx: &mut LowerContext<'_, T>, ty: InterfaceType, number: &N) -> Result<()>
    where
        N: Lower + ComponentType<Lower = ValRaw>,
    {
        match self {
            Place::Flat(dst) => number.linear_lower_to_flat(cx, ty, next(dst)?),
            Place::Memory(offset) => number.linear_lower_to_memory(cx, ty, offset),
        }
    }

    fn text<T>(self, cx: &mut LowerContext<'_, T>, ty: InterfaceType, text: &str) -> Result<()> {
        match self {
            Place::Flat(dst) => {
                let mut pair = MaybeUninit::uninit();
                text.linear_lower_to_flat(cx, ty, &mut pair)?;
                // SAFETY: it was written.
                let [ptr, size] = unsafe { pair.assume_init() };
                next(dst)?.write(ptr);
                next(dst)?.write(size);
                Ok(())
            }
            Place::Memory(offset) => text.linear_lower_to_memory(cx, ty, offset),
        }
    }

    fn pair<T>(self, cx: &mut LowerContext<'_, T>, ptr: usize, len: usize) -> Result<()> {
        match self {
            Place::Flat(dst) => {
                next(dst)?.write(ValRaw::i64(ptr as i64));
                next(dst)?.write(ValRaw::i64(len as i64));
            }
            Place::Memory(offset) => {
                *cx.get(offset) = u32::try_from(ptr)?.to_le_bytes();
                *cx.get(offset + 4) = u32::try_from(len)?.to_le_bytes();
            }
        }
        Ok(())
    }
}

fn next<'d>(dst: &'d mut IterMut<'_, MaybeUninit<ValRaw>>) -> Result<&'d mut MaybeUninit<ValRaw>> {
    dst.next()
        .ok_or_else(|| format_err!("more core values than the type has"))
}

/// Lowers values one after the other, as the fields of a record are.
fn lower_all<'v, T>(
    cx: &mut LowerContext<'_, T>,
    values: impl Iterator<Item = (InterfaceType, &'v wasmtime_component_val_t)>,
    mut to: Place<'_, '_>,
) -> Result<()> {
    for (ty, value) in values {
        let place = match &mut to {
            Place::Flat(dst) => Place::Flat(dst),
            Place::Memory(offset) => {
                Place::Memory(cx.types.canonical_abi(&ty).next_field32_size(offset))
            }
        };
        lower(cx, ty, value, place)?;
    }
    Ok(())
}

fn lower<T>(
    cx: &mut LowerContext<'_, T>,
    ty: InterfaceType,
    value: &wasmtime_component_val_t,
    to: Place<'_, '_>,
) -> Result<()> {
    use wasmtime_component_val_t as V;
    let types = cx.types;
    match (ty, value) {
        (InterfaceType::Bool, V::Bool(x)) => to.number(cx, ty, x),
        (InterfaceType::S8, V::S8(x)) => to.number(cx, ty, x),
        (InterfaceType::U8, V::U8(x)) => to.number(cx, ty, x),
        (InterfaceType::S16, V::S16(x)) => to.number(cx, ty, x),
        (InterfaceType::U16, V::U16(x)) => to.number(cx, ty, x),
        (InterfaceType::S32, V::S32(x)) => to.number(cx, ty, x),
        (InterfaceType::U32, V::U32(x)) => to.number(cx, ty, x),
        (InterfaceType::S64, V::S64(x)) => to.number(cx, ty, x),
        (InterfaceType::U64, V::U64(x)) => to.number(cx, ty, x),
        (InterfaceType::Float32, V::F32(x)) => to.number(cx, ty, x),
        (InterfaceType::Float64, V::F64(x)) => to.number(cx, ty, x),
        (InterfaceType::Char, V::Char(x)) => match char::from_u32(*x) {
            Some(x) => to.number(cx, ty, &x),
            None => bail!("{x:#x} is no Unicode scalar value"),
        },
        (InterfaceType::String, V::String(text)) => to.text(cx, ty, utf8(text)?),
        (InterfaceType::List(list), V::List(items)) => {
            let element = types[list].element;
            let abi = types.canonical_abi(&element);
            let (items, each) = (items.as_slice(), abi.size32 as usize);
            let size = items.len().checked_mul(each);
            let size = size.ok_or_else(|| format_err!("size overflow copying a list"))?;
            let ptr = cx.realloc(0, 0, abi.align32, size)?;
            for (n, item) in items.iter().enumerate() {
                lower(cx, element, item, Place::Memory(ptr + n * each))?;
            }
            to.pair(cx, ptr, items.len())
        }
        (InterfaceType::Record(record), V::Record(entries)) => {
            let (fields, entries) = (&types[record].fields, entries_of(entries.as_slice()));
            if fields.len() != entries.len() {
                bail!("expected {} fields, got {}", fields.len(), entries.len());
            }
            for (field, entry) in fields.iter().zip(entries) {
                if field.name.as_bytes() != entry.name.as_slice() {
                    bail!(
                        "expected field `{}`, got `{}`",
                        field.name,
                        utf8(&entry.name)?
                    );
                }
            }
            let values = fields.iter().zip(entries);
            lower_all(cx, values.map(|(field, entry)| (field.ty, &entry.val)), to)
        }
        (InterfaceType::Tuple(tuple), V::Tuple(values)) => {
            let (members, values) = (&types[tuple].types, values.as_slice());
            if members.len() != values.len() {
                bail!("expected {} types, got {}", members.len(), values.len());
            }
            lower_all(cx, members.iter().copied().zip(values), to)
        }
        (InterfaceType::Variant(variant), V::Variant(value)) => {
            let (ty, value) = (&types[variant], case_of(value));
            let name = utf8(&value.name)?;
            let Some((case, _, payload)) = ty.cases.get_full(name) else {
                bail!("unknown variant case: `{name}`");
            };
            let payload = paired(name, *payload, value.val.as_deref())?;
            lower_case(cx, case, payload, &ty.info, &ty.abi, to)
        }
        (InterfaceType::Enum(ty), V::Enum(name)) => {
            let (ty, name) = (&types[ty], utf8(name)?);
            match ty.names.get_index_of(name) {
                Some(case) => lower_case(cx, case, None, &ty.info, &ty.abi, to),
                None => bail!("enum variant name `{name}` is not valid"),
            }
        }
        (InterfaceType::Option(option), V::Option(value)) => {
            let ty = &types[option];
            let some = value.as_deref().map(|value| (ty.ty, value));
            lower_case(cx, some.is_some() as usize, some, &ty.info, &ty.abi, to)
        }
        (InterfaceType::Result(result), V::Result(value)) => {
            let (ty, value) = (&types[result], either_of(value));
            let (case, name, payload) = match value.is_ok {
                true => (0, "ok", ty.ok),
                false => (1, "err", ty.err),
            };
            let payload = paired(name, payload, value.val.as_deref())?;
            lower_case(cx, case, payload, &ty.info, &ty.abi, to)
        }
        (InterfaceType::Flags(flags), V::Flags(set)) => {
            let ty = &types[flags];
            let mut bits = vec![0u32; ty.names.len().div_ceil(32)];
            for name in set.as_slice() {
                let name = utf8(name)?;
                let Some(bit) = ty.names.get_index_of(name) else {
                    bail!("unknown flag: `{name}`");
                };
                bits[bit / 32] |= 1 << (bit % 32);
            }
            lower_flags(cx, &bits, ty.abi.size32, to)
        }
        _ => bail!("type mismatch: the argument is of another type than the function has"),
    }
}

/// Gives the payload of a case with its type, where both or none must be there.
fn paired<'v>(
    name: &str,
    ty: Option<InterfaceType>,
    value: Option<&'v wasmtime_component_val_t>,
) -> Result<Option<(InterfaceType, &'v wasmtime_component_val_t)>> {
    match (ty, value) {
        (Some(ty), Some(value)) => Ok(Some((ty, value))),
        (None, None) => Ok(None),
        (None, Some(_)) => bail!("did not expect a payload for case `{name}`"),
        (Some(_), None) => bail!("expected a payload for case `{name}`"),
    }
}

fn lower_case<T>(
    cx: &mut LowerContext<'_, T>,
    case: usize,
    payload: Option<(InterfaceType, &wasmtime_component_val_t)>,
    info: &VariantInfo,
    abi: &CanonicalAbiInfo,
    to: Place<'_, '_>,
) -> Result<()> {
    match to {
        Place::Flat(dst) => {
            let before = dst.len();
            next(dst)?.write(ValRaw::u32(u32::try_from(case)?));
            if let Some((ty, value)) = payload {
                lower(cx, ty, value, Place::Flat(dst))?;
            }
            // What a larger case would take.
            let whole = abi.flat_count(MAX_FLAT_PARAMS);
            let whole = whole.ok_or_else(|| format_err!("more core values than are passed"))?;
            for _ in before - dst.len()..whole {
                next(dst)?.write(ValRaw::u64(0));
            }
            Ok(())
        }
        Place::Memory(offset) => {
            match usize::from(info.size) {
                1 => *cx.get(offset) = u8::try_from(case)?.to_le_bytes(),
                2 => *cx.get(offset) = u16::try_from(case)?.to_le_bytes(),
                _ => *cx.get(offset) = u32::try_from(case)?.to_le_bytes(),
            }
            match payload {
                Some((ty, value)) => {
                    let offset = offset + info.payload_offset32 as usize;
                    lower(cx, ty, value, Place::Memory(offset))
                }
                None => Ok(()),
            }
        }
    }
}

fn lower_flags<T>(
    cx: &mut LowerContext<'_, T>,
    bits: &[u32],
    size: u32,
    to: Place<'_, '_>,
) -> Result<()> {
    match (to, bits) {
        (Place::Flat(dst), _) => {
            for bits in bits {
                next(dst)?.write(ValRaw::u32(*bits));
            }
        }
        (Place::Memory(offset), &[bits]) if size == 1 => *cx.get(offset) = [bits as u8],
        (Place::Memory(offset), &[bits]) if size == 2 => {
            *cx.get(offset) = (bits as u16).to_le_bytes()
        }
        (Place::Memory(offset), _) => {
            for (n, bits) in bits.iter().enumerate() {
                *cx.get(offset + 4 * n) = bits.to_le_bytes();
            }
        }
    }
    Ok(())
}

fn utf8(name: &wasm_name_t) -> Result<&str> {
    Ok(str::from_utf8(name.as_slice())?)
}

/// What the C API has in an entry of a record, a variant and a result, whose fields are private there.
#[repr(C)]
struct Entry {
    name: wasm_name_t,
    val: wasmtime_component_val_t,
}

#[repr(C)]
struct Case {
    name: wasm_name_t,
    val: Option<Box<wasmtime_component_val_t>>,
}

#[repr(C)]
struct Either {
    is_ok: bool,
    val: Option<Box<wasmtime_component_val_t>>,
}

fn entries_of(entries: &[wasmtime_component_valrecord_entry_t]) -> &[Entry] {
    const {
        assert!(inside::same_layout::<
            wasmtime_component_valrecord_entry_t,
            Entry,
        >())
    }
    // SAFETY: the fields are declared there as they are here.
    unsafe { slice::from_raw_parts(entries.as_ptr().cast(), entries.len()) }
}

fn case_of(variant: &wasmtime_component_valvariant_t) -> &Case {
    const { assert!(inside::same_layout::<wasmtime_component_valvariant_t, Case>()) }
    // SAFETY: as above.
    unsafe { &*std::ptr::from_ref(variant).cast() }
}

fn either_of(result: &wasmtime_component_valresult_t) -> &Either {
    const { assert!(inside::same_layout::<wasmtime_component_valresult_t, Either>()) }
    // SAFETY: as above.
    unsafe { &*std::ptr::from_ref(result).cast() }
}

/// A value in the C API's form, which can be read as one but not freed as one. Go's `slot` says what the words are.
#[repr(C)]
#[derive(Clone, Copy)]
struct Value {
    kind: u8,
    words: [usize; 3],
}

const _: () = assert!(inside::same_layout::<wasmtime_component_val_t, Value>());

/// The C API's numbers of kinds.
mod kind {
    pub const BOOL: u8 = 0;
    pub const S8: u8 = 1;
    pub const U8: u8 = 2;
    pub const S16: u8 = 3;
    pub const U16: u8 = 4;
    pub const S32: u8 = 5;
    pub const U32: u8 = 6;
    pub const S64: u8 = 7;
    pub const U64: u8 = 8;
    pub const F32: u8 = 9;
    pub const F64: u8 = 10;
    pub const CHAR: u8 = 11;
    pub const STRING: u8 = 12;
    pub const LIST: u8 = 13;
    pub const RECORD: u8 = 14;
    pub const TUPLE: u8 = 15;
    pub const VARIANT: u8 = 16;
    pub const ENUM: u8 = 17;
    pub const OPTION: u8 = 18;
    pub const RESULT: u8 = 19;
    pub const FLAGS: u8 = 20;
}

impl Value {
    fn number(kind: u8, bits: u64) -> Self {
        Self::of(kind, [bits as usize, 0, 0])
    }

    fn of(kind: u8, words: [usize; 3]) -> Self {
        Self { kind, words }
    }
}

// Numbers of 64 bits fit into a word.
const _: () = assert!(size_of::<usize>() == size_of::<u64>());

/// What a function returned, and the memory that it points to: what C has as `weft_result`, and more.
#[repr(C)]
struct Answer {
    value: Value,
    straight: bool, // for who deletes it
    room: Room,
}

/// Memory that stays where it is until all of it is freed.
struct Room {
    first: [MaybeUninit<u64>; FIRST],
    used: usize, // of first, or of the last of the others if there is one
    others: Vec<Box<[MaybeUninit<u64>]>>,
}

/// Words of a room's first piece, enough for what small calls return, and of the largest that is made for more than one.
const FIRST: usize = 128;
const LARGE: usize = 128 << 10;

impl Room {
    /// Gives memory for so many values, which are not initialized.
    fn take<V>(&mut self, n: usize) -> *mut V {
        const { assert!(align_of::<V>() <= align_of::<u64>()) }
        let words = (n * size_of::<V>()).div_ceil(size_of::<u64>());
        let size = self.others.last().map_or(FIRST, |last| last.len());
        if words > size - self.used {
            let size = (2 * size).min(LARGE).max(words);
            self.others.push(Box::new_uninit_slice(size));
            self.used = 0;
        }
        let piece: &mut [MaybeUninit<u64>] = match self.others.last_mut() {
            Some(last) => last,
            None => &mut self.first,
        };
        let at = &mut piece[self.used..];
        self.used += words;
        at.as_mut_ptr().cast()
    }

    /// Keeps bytes, and gives their number and where they are, as the C API has them.
    fn keep(&mut self, bytes: &[u8]) -> [usize; 2] {
        if bytes.is_empty() {
            return [0, 0];
        }
        let to = self.take::<u8>(bytes.len());
        // SAFETY: there is room for so many.
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) }
        [bytes.len(), to.addr()]
    }

    /// Keeps values that are made one after the other.
    fn row<V>(
        &mut self,
        n: usize,
        mut make: impl FnMut(&mut Self, usize) -> Result<V>,
    ) -> Result<[usize; 2]> {
        if n == 0 {
            return Ok([0, 0]);
        }
        let to = self.take::<V>(n);
        for i in 0..n {
            let value = make(self, i)?;
            // SAFETY: there is room for n, and i is less.
            unsafe { to.add(i).write(value) }
        }
        Ok([n, to.addr()])
    }
}

/// A function's result.
struct Lifted(Box<Answer>);

// SAFETY: what it points to is its own.
unsafe impl Send for Lifted {}
// SAFETY: as above.
unsafe impl Sync for Lifted {}

// SAFETY: the lowered form has two core values, more than are returned without memory, so that what is returned is a pointer. That
// the value is in bounds there is found when it is lifted.
unsafe impl ComponentType for Lifted {
    type Lower = [ValRaw; 2];
    const ABI: CanonicalAbiInfo = CanonicalAbiInfo {
        align32: 1,
        ..CanonicalAbiInfo::ZERO
    };

    fn typecheck(_: &InterfaceType, _: &InstanceType<'_>) -> Result<()> {
        Ok(())
    }
}

// SAFETY: as above.
unsafe impl ComponentNamedList for Lifted {}

// SAFETY: as above.
unsafe impl Lift for Lifted {
    fn linear_lift_from_flat(
        _: &mut LiftContext<'_>,
        _: InterfaceType,
        _: &Self::Lower,
    ) -> Result<Self> {
        bail!("a result that is no pointer");
    }

    /// Lifts the result at the address where `bytes`, of no size, is in memory.
    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        let InterfaceType::Tuple(results) = ty else {
            bail!("the results are no tuple");
        };
        let results = &cx.types[results];
        let &[ty] = &results.types[..] else {
            bail!("expected 1 result(s), got {}", results.types.len());
        };
        if results.abi.flat_count(1).is_some() {
            bail!("a result that is no pointer");
        }
        let ptr = bytes.as_ptr().addr() - cx.memory().as_ptr().addr();
        if ptr % results.abi.align32 as usize != 0 {
            bail!("return pointer not aligned");
        }
        let bytes = cx.memory()[ptr..].get(..results.abi.size32 as usize);
        let bytes = bytes.ok_or_else(|| format_err!("pointer out of bounds of memory"))?;
        let mut answer = Box::new(Answer {
            value: Value::of(kind::BOOL, [0; 3]),
            straight: true,
            room: Room {
                first: [MaybeUninit::uninit(); FIRST],
                used: 0,
                others: Vec::new(),
            },
        });
        answer.value = lift(cx, ty, bytes, &mut answer.room)?;
        Ok(Self(answer))
    }
}

/// Lifts the value that `bytes` has, as many as its type is long. What it costs of the fuel for calls of the host is as for a `Val`.
fn lift(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    bytes: &[u8],
    room: &mut Room,
) -> Result<Value> {
    let types = cx.types;
    macro_rules! number {
        ($kind:ident, $number:ty, |$x:ident| $bits:expr) => {{
            let $x = <$number>::linear_lift_from_memory(cx, ty, bytes)?;
            Value::number(kind::$kind, $bits)
        }};
    }
    Ok(match ty {
        InterfaceType::Bool => number!(BOOL, bool, |x| x.into()),
        InterfaceType::S8 => number!(S8, i8, |x| x as u8 as u64),
        InterfaceType::U8 => number!(U8, u8, |x| x.into()),
        InterfaceType::S16 => number!(S16, i16, |x| x as u16 as u64),
        InterfaceType::U16 => number!(U16, u16, |x| x.into()),
        InterfaceType::S32 => number!(S32, i32, |x| x as u32 as u64),
        InterfaceType::U32 => number!(U32, u32, |x| x.into()),
        InterfaceType::S64 => number!(S64, i64, |x| x as u64),
        InterfaceType::U64 => number!(U64, u64, |x| x),
        InterfaceType::Float32 => number!(F32, f32, |x| x.to_bits().into()),
        InterfaceType::Float64 => number!(F64, f64, |x| x.to_bits()),
        InterfaceType::Char => number!(CHAR, char, |x| u32::from(x).into()),
        InterfaceType::String => {
            let [size, at] = lift_text(cx, ty, bytes, room)?;
            Value::of(kind::STRING, [size, at, 0])
        }
        InterfaceType::List(list) => {
            let element = types[list].element;
            let abi = types.canonical_abi(&element);
            let each = abi.size32 as usize;
            let (ptr, n) = pair(bytes);
            let end = n.checked_mul(each).and_then(|size| ptr.checked_add(size));
            match end {
                Some(end) if end <= cx.memory().len() => {
                    cx.consume_fuel_array(n, size_of::<Val>())?;
                }
                _ => bail!("list pointer/length out of bounds of memory"),
            }
            if ptr % abi.align32 as usize != 0 {
                bail!("list pointer is not aligned");
            }
            let memory = cx.memory();
            let [n, at] = room.row(n, |room, i| {
                lift(cx, element, &memory[ptr + i * each..][..each], room)
            })?;
            Value::of(kind::LIST, [n, at, 0])
        }
        InterfaceType::Record(record) => {
            let fields = &types[record].fields;
            cx.consume_fuel_array(fields.len(), size_of::<Val>())?;
            let mut offset = 0;
            let [n, at] = room.row(fields.len(), |room, i| {
                cx.consume_fuel(fields[i].name.len())?;
                let value = lift_next(cx, fields[i].ty, bytes, &mut offset, room)?;
                Ok(([0usize; 2], value)) // without a name
            })?;
            Value::of(kind::RECORD, [n, at, 0])
        }
        InterfaceType::Tuple(tuple) => {
            let members = &types[tuple].types;
            cx.consume_fuel_array(members.len(), size_of::<Val>())?;
            let mut offset = 0;
            let [n, at] = room.row(members.len(), |room, i| {
                lift_next(cx, members[i], bytes, &mut offset, room)
            })?;
            Value::of(kind::TUPLE, [n, at, 0])
        }
        InterfaceType::Variant(variant) => {
            let ty = &types[variant];
            let case = discriminant(&ty.info, ty.cases.len(), bytes)?;
            let (name, payload) = ty.cases.get_index(case).expect("a case of it");
            let payload = lift_payload(cx, &ty.info, *payload, bytes, room)?;
            cx.consume_fuel(name.len())?;
            let [size, at] = room.keep(name.as_bytes());
            Value::of(kind::VARIANT, [size, at, payload])
        }
        InterfaceType::Enum(ty) => {
            let ty = &types[ty];
            let name = &ty.names[discriminant(&ty.info, ty.names.len(), bytes)?];
            cx.consume_fuel(name.len())?;
            let [size, at] = room.keep(name.as_bytes());
            Value::of(kind::ENUM, [size, at, 0])
        }
        InterfaceType::Option(option) => {
            let ty = &types[option];
            let some = [None, Some(ty.ty)][discriminant(&ty.info, 2, bytes)?];
            let payload = lift_payload(cx, &ty.info, some, bytes, room)?;
            Value::of(kind::OPTION, [payload, 0, 0])
        }
        InterfaceType::Result(result) => {
            let ty = &types[result];
            let case = discriminant(&ty.info, 2, bytes)?;
            let payload = lift_payload(cx, &ty.info, [ty.ok, ty.err][case], bytes, room)?;
            Value::of(kind::RESULT, [(case == 0).into(), payload, 0])
        }
        InterfaceType::Flags(flags) => {
            let names = &types[flags].names;
            let is_set = |bit: &usize| bytes[bit / 8] >> (bit % 8) & 1 != 0;
            let mut set = (0..names.len()).filter(is_set);
            let [n, at] = room.row(set.clone().count(), |room, _| {
                let name = &names[set.next().expect("as many as were counted")];
                cx.consume_fuel(name.len())?;
                Ok(room.keep(name.as_bytes()))
            })?;
            Value::of(kind::FLAGS, [n, at, 0])
        }
        _ => bail!("a value that does not go straight"),
    })
}

/// Lifts the field of a record after those before it.
fn lift_next(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    bytes: &[u8],
    offset: &mut usize,
    room: &mut Room,
) -> Result<Value> {
    let abi = cx.types.canonical_abi(&ty);
    let at = abi.next_field32_size(offset);
    lift(cx, ty, &bytes[at..][..abi.size32 as usize], room)
}

/// Lifts the payload of a case if it has one, and gives its address, or 0.
fn lift_payload(
    cx: &mut LiftContext<'_>,
    info: &VariantInfo,
    ty: Option<InterfaceType>,
    bytes: &[u8],
    room: &mut Room,
) -> Result<usize> {
    let Some(ty) = ty else { return Ok(0) };
    cx.consume_fuel(size_of::<Val>())?;
    let size = cx.types.canonical_abi(&ty).size32 as usize;
    let bytes = &bytes[info.payload_offset32 as usize..][..size];
    let [_, at] = room.row(1, |room, _| lift(cx, ty, bytes, room))?;
    Ok(at)
}

/// Reads which case a variant has.
fn discriminant(info: &VariantInfo, cases: usize, bytes: &[u8]) -> Result<usize> {
    let case = match usize::from(info.size) {
        1 => bytes[0].into(),
        2 => u16::from_le_bytes([bytes[0], bytes[1]]).into(),
        _ => word(bytes),
    };
    if case >= cases {
        bail!("discriminant {case} out of range [0..{cases})");
    }
    Ok(case)
}

/// Lifts a string. Those in UTF-8, which are most, are copied once.
fn lift_text(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    bytes: &[u8],
    room: &mut Room,
) -> Result<[usize; 2]> {
    if cx.options().string_encoding != StringEncoding::Utf8 {
        let text = String::linear_lift_from_memory(cx, ty, bytes)?;
        return Ok(room.keep(text.as_bytes()));
    }
    let (ptr, size) = pair(bytes);
    let end = ptr.checked_add(size);
    let text = end.and_then(|end| cx.memory().get(ptr..end));
    let text = text.ok_or_else(|| format_err!("string pointer/length out of bounds of memory"))?;
    cx.consume_fuel(size)?;
    Ok(room.keep(str::from_utf8(text)?.as_bytes()))
}

/// Reads a pointer and a length.
fn pair(bytes: &[u8]) -> (usize, usize) {
    (word(bytes), word(&bytes[4..]))
}

fn word(bytes: &[u8]) -> usize {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
}
