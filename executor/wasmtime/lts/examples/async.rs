//! What asynchronous calls cost and what they save, against calls that hold a thread: "Asynchronous calls" in ../../DESIGN.md, which async.sh
//! measures. Its argument is test/components/receipt in Rust.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::{fs, future, mem, process, thread, time::Instant};

use wasmtime::component::{Component, InstancePre, Linker, Val};
use wasmtime::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in ../src/heap.rs

/// Calls its import as often as it is told to, and has a memory as Rust makes it.
const GUEST: &str = r#"(component
  (import "wait" (func $wait))
  (core func $lowered (canon lower (func $wait)))
  (core module $m
    (import "" "wait" (func $wait))
    (memory 17)
    (func (export "run") (param $times i32)
      (loop $again
        (call $wait)
        (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))
  (core instance $i (instantiate $m (with "" (instance (export "wait" (func $lowered))))))
  (func (export "run") (param "times" u32) (canon lift (core func $i "run"))))"#;

const GUESTS: usize = 1000;
const FOREVER: [Val; 1] = [Val::U32(u32::MAX)];

/// How guests wait: on a thread of their own, or suspended, all of them on one.
#[derive(Clone, Copy)]
enum Way {
    Thread,
    Fiber,
}
use Way::{Fiber, Thread};

/// As engine.c and engine.go have it, with stacks for asynchronous calls.
fn engine() -> Result<Engine> {
    let instances = 2 * GUESTS as u32 + 100;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances).total_core_instances(instances * 256);
    pool.total_memories(instances * 4).total_tables(instances * 8).total_stacks(instances);
    pool.max_core_instances_per_component(256).max_memories_per_component(32).max_tables_per_component(128);
    pool.max_memories_per_module(32).max_tables_per_module(16).table_elements(100_000).max_memory_size(1 << 30);
    pool.linear_memory_keep_resident(4 << 20).table_keep_resident(64 << 10).max_unused_warm_slots(32);
    pool.pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config.epoch_interruption(true).max_wasm_stack(512 << 10).async_stack_size(1 << 20);
    config.concurrency_support(false).wasm_memory64(false).native_unwind_info(false);
    config.memory_reservation(4 << 30).memory_guard_size(32 << 20);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// Guests that wait, and who wakes them.
struct Hub {
    waker: thread::Thread,
    came: AtomicUsize,                   // how often a guest has come to wait
    enough: AtomicUsize,                 // how often until the waker goes on
    gates: Vec<(Mutex<bool>, Condvar)>,  // of guests on threads
    ready: (Mutex<Vec<usize>>, Condvar), // fibers that are to go on
}

impl Hub {
    fn new() -> Arc<Hub> {
        let gates = (0..GUESTS).map(|_| Default::default()).collect();
        Arc::new(Hub { waker: thread::current(), came: 0.into(), enough: GUESTS.into(), gates, ready: Default::default() })
    }

    fn come(&self) {
        if self.came.fetch_add(1, SeqCst) + 1 == self.enough.load(SeqCst) {
            self.waker.unpark();
        }
    }

    /// Wakes guests, and waits until all of them wait again.
    fn wake(&self, way: Way, guests: std::ops::Range<usize>) {
        self.enough.store(self.came.load(SeqCst) + guests.len(), SeqCst);
        for n in guests {
            let gate = match way {
                Thread => (*self.gates[n].0.lock().unwrap() = true, &self.gates[n].1),
                Fiber => (self.ready.0.lock().unwrap().push(n), &self.ready.1),
            };
            gate.1.notify_one();
        }
        self.await_all();
    }

    fn await_all(&self) {
        while self.came.load(SeqCst) < self.enough.load(SeqCst) {
            thread::park();
        }
    }
}

/// What a store has: which guest it is, and where it waits, if it does.
struct Data(usize, Option<Arc<Hub>>, StoreLimits);

fn store(engine: &Engine, number: usize, hub: Option<&Arc<Hub>>) -> Store<Data> {
    let limits = StoreLimitsBuilder::new().memory_size(64 << 20).build();
    let mut store = Store::new(engine, Data(number, hub.cloned(), limits));
    store.limiter(|data| &mut data.2);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(1)));
    store.set_epoch_deadline(1);
    store
}

fn prepare(engine: &Engine, component: &Component, way: Way) -> Result<InstancePre<Data>> {
    let mut linker = Linker::<Data>::new(engine);
    match way {
        Thread => linker.root().func_new("wait", |store, _, _, _| {
            let Data(number, Some(hub), _) = store.data() else { return Ok(()) };
            let (open, changed) = &hub.gates[*number];
            hub.come();
            *changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap() = false;
            Ok(())
        })?,
        Fiber => linker.root().func_new_async("wait", |store, _, _, _| {
            Box::new(async move {
                let mut hub = store.data().1.as_ref();
                let wait = future::poll_fn(|_| hub.take().map_or(Poll::Ready(()), |hub| (hub.come(), Poll::Pending).1));
                Ok(wait.await)
            })
        })?,
    }
    linker.define_unknown_imports_as_traps(component)?;
    linker.instantiate_pre(component)
}

/// Makes an instance, calls a function of it, and drops it.
async fn call(way: Way, pre: &InstancePre<Data>, mut store: Store<Data>, name: &[&str], args: &[Val]) -> Result<()> {
    let instance = match way {
        Thread => pre.instantiate(&mut store)?,
        Fiber => pre.instantiate_async(&mut store).await?,
    };
    let mut index = None;
    for name in name {
        index = instance.get_export_index(&mut store, index.as_ref(), name);
    }
    let func = instance.get_func(&mut store, index.unwrap()).unwrap();
    let mut results = vec![Val::Bool(false); func.ty(&store).results().len()];
    match way {
        Thread => func.call(&mut store, args, &mut results),
        Fiber => func.call_async(&mut store, args, &mut results).await,
    }
}

fn poll(call: Pin<&mut impl Future<Output = Result<()>>>) -> Poll<Result<()>> {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

/// Makes a call that does not suspend.
fn run(call: impl Future<Output = Result<()>>) {
    let Poll::Ready(Ok(())) = poll(pin!(call)) else { panic!("it waits, or failed") };
}

/// Has all guests come to wait.
fn start(engine: &Engine, guest: &Component, way: Way) -> Result<Arc<Hub>> {
    let (pre, hub) = (Arc::new(prepare(engine, guest, way)?), Hub::new());
    let stores = (0..GUESTS).map(|n| store(engine, n, Some(&hub)));
    match way {
        Thread => stores.for_each(|store| {
            let pre = pre.clone();
            thread::spawn(move || run(call(way, &pre, store, &["run"], &FOREVER)));
        }),
        Fiber => {
            let (stores, hub) = (stores.collect::<Vec<_>>(), hub.clone());
            thread::spawn(move || {
                let mut all: Vec<_> = stores.into_iter().map(|s| Box::pin(call(way, &pre, s, &["run"], &FOREVER))).collect();
                let mut batch: Vec<_> = (0..GUESTS).collect();
                loop {
                    batch.into_iter().for_each(|n| assert!(poll(all[n].as_mut()).is_pending()));
                    batch = mem::take(&mut *hub.ready.1.wait_while(hub.ready.0.lock().unwrap(), |r| r.is_empty()).unwrap());
                }
            });
        }
    }
    hub.await_all();
    Ok(hub)
}

unsafe extern "C" {
    fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
}

/// Nanoseconds, and those of processor time of all threads, that each of n takes.
fn measure(n: usize, f: impl FnOnce()) -> [f64; 2] {
    let used = || {
        let mut time = [0; 2];
        // SAFETY: it writes a timespec, which is two such numbers. 2 is CLOCK_PROCESS_CPUTIME_ID.
        unsafe { clock_gettime(2, &mut time) };
        time[0] * 1_000_000_000 + time[1]
    };
    let (began, before) = (Instant::now(), used());
    f();
    [began.elapsed().as_nanos() as f64 / n as f64, (used() - before) as f64 / n as f64]
}

/// Measures both ways in turns, and prints medians, with those of the ratios.
fn compare(what: &str, mut f: impl FnMut(Way) -> [f64; 2]) {
    let rounds: Vec<_> = (0..15).map(|_| [f(Thread), f(Fiber)]).collect();
    let median = |of: &dyn Fn(&[[f64; 2]; 2]) -> f64| {
        let mut all: Vec<_> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    print!("{what:50}");
    for k in 0..2 {
        print!("{:9.0}{:9.0}{:6.2}x", median(&|r| r[0][k]), median(&|r| r[1][k]), median(&|r| r[1][k] / r[0][k]));
    }
    println!();
}

/// Prints what 1,000 guests that wait take, in KiB each: of this process, of the kernel's stacks, and of its tables.
fn memory(engine: &Engine, guest: &Component, way: Way) -> Result<()> {
    let fields = [("self/status", "VmRSS:"), ("meminfo", "KernelStack:"), ("meminfo", "PageTables:"), ("meminfo", "Slab:")];
    let read = || {
        fields.map(|(file, field)| {
            let text = fs::read_to_string(format!("/proc/{file}")).unwrap();
            let line = text.lines().find_map(|l| l.strip_prefix(field)).unwrap();
            line.split_whitespace().next().unwrap().parse::<f64>().unwrap()
        })
    };
    run(call(Fiber, &prepare(engine, guest, Fiber)?, store(engine, 0, None), &["run"], &[Val::U32(1)]));
    let before = read();
    start(engine, guest, way)?;
    let after = read();
    for k in 0..fields.len() {
        print!("{:>14} {:6.1}", fields[k].1, (after[k] - before[k]) / GUESTS as f64);
    }
    println!();
    Ok(())
}

fn main() -> Result<()> {
    let engine = engine()?;
    let guest = Component::new(&engine, GUEST)?;
    let argument = std::env::args().nth(1).expect("the path of a component");
    match argument.as_str() {
        "thread" => return memory(&engine, &guest, Thread),
        "fiber" => return memory(&engine, &guest, Fiber),
        _ => println!("{:50}{:>24}{:>24}", "ns: on a thread, on a fiber, ratio", "wall", "processor"),
    }
    let receipt = Component::from_file(&engine, &argument)?;
    let fields = [("sku", Val::String("book-loom".into())), ("cents", Val::U32(1999)), ("count", Val::U32(2))];
    let line = Val::Record(fields.into_iter().map(|(name, value)| (name.into(), value)).collect());
    let (args, name) = ([Val::List(vec![line]), Val::U32(19)], ["bench:receipt/till@1.0.0", "ring-up"]);
    let [on_threads, on_fibers] = [prepare(&engine, &receipt, Thread)?, prepare(&engine, &receipt, Fiber)?];
    let pre = |way| if let Thread = way { &on_threads } else { &on_fibers };
    for threads in [1, 2] {
        let calls = || |way| (0..50_000).for_each(|_| run(call(way, pre(way), store(&engine, 0, None), &name, &args)));
        compare(&format!("an instance, a call and a drop, {threads} thread(s)"), |way| {
            measure(50_000, || thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(move || calls()(way))))))
        });
    }
    let pres = [prepare(&engine, &guest, Thread)?, prepare(&engine, &guest, Fiber)?];
    compare("a host function that does not wait", |way| {
        measure(1_000_000, || run(call(way, &pres[way as usize], store(&engine, 0, None), &["run"], &[Val::U32(1_000_000)])))
    });
    let mut fiber = pin!(call(Fiber, &pres[1], store(&engine, 0, Some(&Hub::new())), &["run"], &FOREVER));
    let [wall, _] = measure(1_000_000, || (0..1_000_000).for_each(|_| assert!(poll(fiber.as_mut()).is_pending())));
    println!("{:50}{wall:18.0}", "a fiber goes on and waits again");
    let hubs = [start(&engine, &guest, Thread)?, start(&engine, &guest, Fiber)?];
    compare("to wake one guest, until it waits again", |way| {
        measure(GUESTS, || (0..GUESTS).for_each(|n| hubs[way as usize].wake(way, n..n + 1)))
    });
    compare("to wake 1,000 at once, each", |way| measure(GUESTS, || hubs[way as usize].wake(way, 0..GUESTS)));
    for way in ["thread", "fiber"].repeat(3) {
        print!("KiB of a guest that waits on a {way:8}");
        std::io::Write::flush(&mut std::io::stdout())?;
        process::Command::new(std::env::current_exe()?).arg(way).status()?;
    }
    Ok(())
}
