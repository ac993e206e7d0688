// SPDX-License-Identifier: MIT OR Apache-2.0

//! The job of a Rust contestant, the same for every transport. Also compiled into `peer/`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::time::Duration;
use up_rust::{UListener, UMessage, UMessageBuilder, UPayloadFormat, UTransport, UUri};

/// Counts what Rust allocates; what C++ does is the same for all.
pub struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: the system's allocator, and a count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What to do. The numbers of scenarios are those of `native.cpp`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Job {
    pub scenario: u32,
    pub size: u64,
    pub count: u64,
    /// Messages per second; 0: as fast as possible.
    pub rate: u64,
    /// How many may be under way.
    pub in_flight: u64,
}

pub const PACED: u32 = 1;
pub const LATENCY: u32 = 2;
pub const RPC: u32 = 3;
pub const PUBLISHER: u32 = 4;
/// Subscriber only, beside a publisher of another process; counts allocations.
pub const RECEIVE: u32 = 5;
/// The other halves, for two contestants that talk to each other.
pub const ONLY_PUBLISH: u32 = 6;
pub const ONLY_SERVE: u32 = 7;
pub const ONLY_CALL: u32 = 8;

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    pub received: u64,
    pub out_of_order: u64,
    pub nanoseconds: u64,
    pub cpu_nanoseconds: u64,
    pub p50: u64,
    pub p99: u64,
    /// For `RECEIVE`.
    pub allocations: u64,
}

impl Job {
    pub fn from_args(args: &[String]) -> Job {
        let number = |at: usize| args[at].parse().expect("a number");
        Job {
            scenario: number(0) as u32,
            size: number(1),
            count: number(2),
            rate: number(3),
            in_flight: number(4),
        }
    }
}

impl Outcome {
    /// In the order of the fields.
    pub fn values(&self) -> [u64; 7] {
        let Outcome { received, out_of_order, nanoseconds, cpu_nanoseconds, p50, p99, allocations } =
            *self;
        [received, out_of_order, nanoseconds, cpu_nanoseconds, p50, p99, allocations]
    }

    pub fn print(&self) {
        println!("outcome {}", self.values().map(|value| value.to_string()).join(" "));
    }
}

const HELLO: u64 = u64::MAX;
const TOPIC: (u32, u16) = (0x1111, 0x8001);
const METHOD: u16 = 7;

fn clock(which: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` may be written.
    unsafe { libc::clock_gettime(which, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

fn cpu() -> u64 {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn sleep_until(at: u64) {
    let time = libc::timespec {
        tv_sec: (at / 1_000_000_000) as i64,
        tv_nsec: (at % 1_000_000_000) as i64,
    };
    // SAFETY: `time` may be read; no rest is asked for.
    while unsafe {
        libc::clock_nanosleep(
            libc::CLOCK_MONOTONIC,
            libc::TIMER_ABSTIME,
            &time,
            std::ptr::null_mut(),
        )
    } != 0
    {}
}

#[derive(Default)]
struct Receiver {
    received: AtomicU64,
    out_of_order: AtomicU64,
    next: AtomicU64,
    last_at: AtomicU64,
    first_allocations: AtomicU64,
    last_allocations: AtomicU64,
    greeted: AtomicBool,
    latencies: Option<Mutex<Vec<u64>>>,
}

#[async_trait::async_trait]
impl UListener for Receiver {
    async fn on_receive(&self, message: UMessage) {
        let payload = message.payload.unwrap_or_default();
        let word = |at: usize| u64::from_le_bytes(payload[at..at + 8].try_into().unwrap());
        let sequence = word(0);
        if sequence == HELLO {
            self.greeted.store(true, SeqCst);
            return;
        }
        if let Some(latencies) = &self.latencies {
            let waited = now() - word(8);
            latencies.lock().unwrap().push(waited);
        }
        if self.next.fetch_max(sequence + 1, SeqCst) > sequence {
            self.out_of_order.fetch_add(1, SeqCst);
        }
        self.last_at.store(now(), SeqCst);
        let allocations = ALLOCATIONS.load(Relaxed);
        if self.received.fetch_add(1, SeqCst) == 0 {
            self.first_allocations.store(allocations, SeqCst);
        }
        self.last_allocations.store(allocations, SeqCst);
    }
}

fn payload(sequence: u64, size: u64) -> Vec<u8> {
    let mut bytes = vec![0; size as usize];
    bytes[..8].copy_from_slice(&sequence.to_le_bytes());
    if size >= 16 {
        bytes[8..16].copy_from_slice(&now().to_le_bytes());
    }
    bytes
}

fn uri(entity: u32, resource: u16) -> UUri {
    UUri::try_from_parts("bench", entity, 1, resource).unwrap()
}

/// Runs a job; `open(name, entity)` makes a transport.
pub fn run<T: UTransport + 'static>(job: Job, open: impl Fn(&str, u32) -> T) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        match job.scenario {
            RPC => {
                let _server = serve(&open).await;
                call(job, &open).await
            }
            ONLY_SERVE => {
                let _server = serve(&open).await;
                std::future::pending().await
            }
            ONLY_CALL => call(job, &open).await,
            ONLY_PUBLISH => only_publish(job, open).await,
            _ => publish(job, open).await,
        }
    })
}

/// Greets for a while, so that whoever subscribes is attached, and then sends a thousand per second.
async fn only_publish<T: UTransport>(job: Job, open: impl Fn(&str, u32) -> T) -> Outcome {
    let publisher = open("pub", TOPIC.0);
    for number in (0..100).map(|_| HELLO).chain(0..job.count) {
        let pause = if number == HELLO { 20 } else { 1 };
        let message = UMessageBuilder::publish(uri(TOPIC.0, TOPIC.1))
            .build_with_payload(
                payload(number, job.size),
                UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED,
            )
            .unwrap();
        publisher.send(message).await.unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    Outcome { received: job.count, ..Outcome::default() }
}

async fn publish<T: UTransport>(job: Job, open: impl Fn(&str, u32) -> T) -> Outcome {
    let receiver = Arc::new(Receiver {
        latencies: (job.scenario == LATENCY)
            .then(|| Mutex::new(Vec::with_capacity(job.count as usize))),
        ..Receiver::default()
    });
    let topic = uri(TOPIC.0, TOPIC.1);
    let subscriber = open("sub", 0x2222);
    subscriber.register_listener(&topic, None, receiver.clone()).await.unwrap();
    if job.scenario == RECEIVE {
        println!("ready");
        wait(&receiver, job.count).await;
        return outcome(&receiver, 0, 0);
    }
    let publisher = open("pub", TOPIC.0);
    let message = |sequence| {
        UMessageBuilder::publish(topic.clone())
            .build_with_payload(
                payload(sequence, job.size),
                UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED,
            )
            .unwrap()
    };
    while !receiver.greeted.load(SeqCst) {
        publisher.send(message(HELLO)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (start, used) = (now(), cpu());
    for number in 0..job.count {
        if job.rate != 0 && (job.scenario == LATENCY || number % (job.rate / 1000) == 0) {
            sleep_until(start + number * 1_000_000_000 / job.rate);
        }
        while number - receiver.received.load(SeqCst).min(number) >= job.in_flight {
            std::thread::yield_now();
        }
        publisher.send(message(number)).await.unwrap();
    }
    wait(&receiver, job.count).await;
    outcome(&receiver, start, cpu() - used)
}

/// Until all are there, or none came for three seconds.
async fn wait(receiver: &Receiver, count: u64) {
    let (mut idle, mut before) = (0, 0);
    let mut limit = 3_000; // ten times that for the first one
    while receiver.received.load(SeqCst) < count && idle < limit {
        tokio::time::sleep(Duration::from_millis(10)).await;
        idle += 1;
        let received = receiver.received.load(SeqCst);
        if received != before {
            (idle, limit) = (0, 300);
        }
        before = received;
    }
}

fn outcome(receiver: &Receiver, start: u64, cpu: u64) -> Outcome {
    let mut latencies =
        receiver.latencies.as_ref().map(|all| all.lock().unwrap().clone()).unwrap_or_default();
    latencies.sort_unstable();
    let at = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or(0);
    Outcome {
        received: receiver.received.load(SeqCst),
        out_of_order: receiver.out_of_order.load(SeqCst),
        nanoseconds: receiver.last_at.load(SeqCst).saturating_sub(start),
        cpu_nanoseconds: cpu,
        p50: at(50),
        p99: at(99),
        allocations: receiver.last_allocations.load(SeqCst)
            - receiver.first_allocations.load(SeqCst),
    }
}

struct Server<T>(Arc<T>);

#[async_trait::async_trait]
impl<T: UTransport> UListener for Server<T> {
    async fn on_receive(&self, request: UMessage) {
        let response = UMessageBuilder::response_for_request(&request.attributes)
            .build_with_payload(
                request.payload.unwrap_or_default(),
                UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED,
            )
            .unwrap();
        self.0.send(response).await.unwrap();
    }
}

struct Client(tokio::sync::mpsc::UnboundedSender<()>);

#[async_trait::async_trait]
impl UListener for Client {
    async fn on_receive(&self, _: UMessage) {
        self.0.send(()).unwrap();
    }
}

async fn serve<T: UTransport + 'static>(open: &impl Fn(&str, u32) -> T) -> Arc<T> {
    let server = Arc::new(open("pub", TOPIC.0));
    let from_anybody = UUri::any_with_resource_id(0);
    let listener = Arc::new(Server(server.clone()));
    let method = uri(TOPIC.0, METHOD);
    server.register_listener(&from_anybody, Some(&method), listener).await.unwrap();
    server
}

async fn call<T: UTransport>(job: Job, open: &impl Fn(&str, u32) -> T) -> Outcome {
    let client = open("sub", 0x2222);
    let (method, me) = (uri(TOPIC.0, METHOD), uri(0x2222, 0));
    let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
    client.register_listener(&method, Some(&me), Arc::new(Client(answered))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (mut start, mut used) = (0, 0);
    for number in 0..job.count + 100 {
        if number == 100 {
            (start, used) = (now(), cpu()); // after as many to warm up
        }
        let request = UMessageBuilder::request(method.clone(), me.clone(), 10_000)
            .build_with_payload(payload(1, job.size), UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED)
            .unwrap();
        client.send(request).await.unwrap();
        answers.recv().await.unwrap();
    }
    Outcome {
        received: job.count,
        nanoseconds: now() - start,
        cpu_nanoseconds: cpu() - used,
        ..Outcome::default()
    }
}
