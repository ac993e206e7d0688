// SPDX-License-Identifier: MIT OR Apache-2.0

//! A publisher and a subscriber, two vsomeip applications, with a live table of what arrives: rate,
//! order, loss and latency of each topic.
//!
//!     cargo run --release --example telemetry -- [--seconds N] [--rate MESSAGES_PER_SECOND]

mod common;

use common::Outcome;
use ringback_vsomeip::{Options, Overflow, UPTransportVsomeip, VsomeipApplicationConfig};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use up_rust::{UListener, UMessage, UMessageBuilder, UPayloadFormat, UTransport, UUri};

const TOPICS: [(&str, u16); 4] =
    [("speed", 0x8001), ("engine", 0x8002), ("position", 0x8003), ("battery", 0x8004)];
/// How many of the latest latencies the table looks at.
const WINDOW: usize = 2_000;

/// What has arrived on one topic.
struct Gauge {
    start: Instant,
    sent: AtomicU64,
    received: AtomicU64,
    out_of_order: AtomicU64,
    next: AtomicU64,
    latencies: Mutex<Vec<u64>>,
}

impl Gauge {
    fn nanoseconds(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// The median and the 99th percentile of the latest, in microseconds.
    fn latency(&self) -> (f64, f64) {
        let mut latest = self.latencies.lock().map(|all| all.clone()).unwrap_or_default();
        latest.sort_unstable();
        let at = |part: usize| latest.get(latest.len() * part / 100).copied().unwrap_or(0);
        (at(50) as f64 / 1e3, at(99) as f64 / 1e3)
    }
}

#[async_trait::async_trait]
impl UListener for Gauge {
    async fn on_receive(&self, message: UMessage) {
        let payload = message.payload.unwrap_or_default();
        let Some((number, sent)) = payload.split_first_chunk::<8>() else { return };
        let number = u64::from_le_bytes(*number);
        let Some(sent) = sent.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)) else {
            return;
        };
        let waited = self.nanoseconds().saturating_sub(sent);
        if self.next.fetch_max(number + 1, SeqCst) > number {
            self.out_of_order.fetch_add(1, SeqCst);
        }
        let at = self.received.fetch_add(1, SeqCst) as usize % WINDOW;
        if let Ok(mut latencies) = self.latencies.lock() {
            match latencies.get_mut(at) {
                Some(slot) => *slot = waited,
                None => latencies.push(waited),
            }
        }
    }
}

fn topic(resource: u16) -> UUri {
    UUri {
        authority_name: "car".into(),
        ue_id: 0x1111,
        ue_version_major: 1,
        resource_id: u32::from(resource),
        ..UUri::default()
    }
}

fn transport(name: &str, entity: u16, topics: Vec<UUri>) -> Outcome<UPTransportVsomeip> {
    let local = UUri::try_from_parts("car", u32::from(entity), 1, 0)?;
    let options = Options::default()
        .mailbox(4_096, Overflow::Block(Duration::from_millis(50)))
        .topics(topics);
    let application = VsomeipApplicationConfig::new(name, entity);
    Ok(UPTransportVsomeip::with_options(application, local, "car", options)?)
}

fn table(gauges: &[Arc<Gauge>], before: &mut [u64], seconds: f64, redraw: bool) {
    let mut text = String::new();
    let clear = if std::io::stdout().is_terminal() { "\x1b[K" } else { "" };
    if redraw {
        text.push_str(&format!("\x1b[{}A", TOPICS.len() + 1));
    }
    text.push_str(&format!(
        "{:<10}{:>10}{:>12}{:>10}{:>14}{:>12}{:>12}{clear}\n",
        "topic", "rate /s", "received", "under way", "out of order", "p50 us", "p99 us"
    ));
    for (((name, _), gauge), before) in TOPICS.iter().zip(gauges).zip(before) {
        let received = gauge.received.load(SeqCst);
        let rate = (received - *before) as f64 / seconds;
        *before = received;
        let under_way = gauge.sent.load(SeqCst).saturating_sub(received);
        let (p50, p99) = gauge.latency();
        let out_of_order = gauge.out_of_order.load(SeqCst);
        text.push_str(&format!(
            "{name:<10}{rate:>10.0}{received:>12}{under_way:>10}{out_of_order:>14}{p50:>12.1}{p99:>12.1}{clear}\n"
        ));
    }
    print!("{text}");
    let _ = std::io::stdout().flush();
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let _ = env_logger::try_init();
    let (mut seconds, mut rate) = (10, 4_000_u64);
    let mut given = std::env::args().skip(1);
    let usage = "usage: telemetry [--seconds N] [--rate MESSAGES_PER_SECOND]";
    while let Some(name) = given.next() {
        let value = given.next().ok_or(usage)?;
        match name.as_str() {
            "--seconds" => seconds = value.parse()?,
            "--rate" => rate = value.parse()?,
            _ => return Err(usage.into()),
        }
    }
    let subscriber = transport("telemetry_subscriber", 0x2222, Vec::new())?;
    let topics = TOPICS.iter().map(|(_, resource)| topic(*resource)).collect();
    let publisher = Arc::new(transport("telemetry_publisher", 0x1111, topics)?);
    let start = Instant::now();
    let gauges: Vec<_> = TOPICS
        .iter()
        .map(|_| {
            Arc::new(Gauge {
                start,
                sent: AtomicU64::new(0),
                received: AtomicU64::new(0),
                out_of_order: AtomicU64::new(0),
                next: AtomicU64::new(0),
                latencies: Mutex::new(Vec::with_capacity(WINDOW)),
            })
        })
        .collect();
    for ((_, resource), gauge) in TOPICS.iter().zip(&gauges) {
        subscriber.register_listener(&topic(*resource), None, gauge.clone()).await?;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let (sender, all, stopped) = (publisher.clone(), gauges.clone(), stop.clone());
    let sending = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(publish(&sender, &all, rate, &stopped));
    });
    let terminal = std::io::stdout().is_terminal();
    let every = Duration::from_millis(if terminal { 250 } else { 1_000 });
    let mut before = vec![0; TOPICS.len()];
    let mut drawn = false;
    while start.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(every).await;
        table(&gauges, &mut before, every.as_secs_f64(), terminal && drawn);
        drawn = true;
    }
    stop.store(true, SeqCst);
    let _ = sending.join();
    tokio::time::sleep(Duration::from_millis(500)).await; // what is under way arrives
    let sum = |value: fn(&Gauge) -> &AtomicU64| {
        gauges.iter().map(|gauge| value(gauge).load(SeqCst)).sum::<u64>()
    };
    let (sent, received) = (sum(|g| &g.sent), sum(|g| &g.received));
    println!(
        "sent {sent}, received {received}, lost {}, out of order {}",
        sent - received,
        sum(|g| &g.out_of_order)
    );
    Ok(())
}

/// Every topic at the same rate; together `rate` messages per second.
async fn publish(to: &UPTransportVsomeip, gauges: &[Arc<Gauge>], rate: u64, stop: &AtomicBool) {
    let period = Duration::from_secs_f64(TOPICS.len() as f64 / rate.max(1) as f64);
    let start = Instant::now();
    for number in 0_u64.. {
        if stop.load(SeqCst) {
            return;
        }
        for ((_, resource), gauge) in TOPICS.iter().zip(gauges) {
            let mut payload = vec![0; 64];
            payload[..8].copy_from_slice(&number.to_le_bytes());
            payload[8..16].copy_from_slice(&gauge.nanoseconds().to_le_bytes());
            let message = UMessageBuilder::publish(topic(*resource))
                .build_with_payload(payload, UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED);
            let Ok(message) = message else { continue };
            match to.send(message).await {
                Ok(()) => gauge.sent.fetch_add(1, SeqCst),
                Err(error) => return eprintln!("not sent: {error}"),
            };
        }
        let next = start + period * u32::try_from(number + 1).unwrap_or(u32::MAX);
        if let Some(left) = next.checked_duration_since(Instant::now()) {
            std::thread::sleep(left);
        }
    }
}
