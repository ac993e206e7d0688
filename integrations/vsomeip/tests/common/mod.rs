// SPDX-License-Identifier: MIT OR Apache-2.0

//! Each test has a process, a network key and a configuration of its own, since vsomeip reads one
//! configuration per process: so tests run side by side.
#![allow(dead_code, unreachable_pub)] // every test binary uses a part of this

pub mod ecu;
pub mod logger;

use ringback_vsomeip::{
    Options, UPTransportVsomeip, VsomeipApplicationConfig, VsomeipConfiguration,
};
use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use up_rust::{UListener, UMessage, UMessageBuilder, UPayloadFormat, UStatus, UTransport, UUri};

const CHILD: &str = "RINGBACK_TEST_CHILD";
const CONFIGURATION: &str = "RINGBACK_TEST_CONFIGURATION";

/// Runs `body` in a process of its own, which is killed when it hangs.
pub fn isolated(name: &str, body: impl FnOnce()) {
    isolated_with(name, |configuration| configuration, body);
}

/// As [`isolated`], with more in vsomeip's configuration.
pub fn isolated_with(
    name: &str,
    configure: impl FnOnce(VsomeipConfiguration) -> VsomeipConfiguration,
    body: impl FnOnce(),
) {
    child(name, &[], &[], configure, body);
}

/// As [`isolated_with`], in a network namespace of its own, whose loopback takes multicast as well.
pub fn isolated_network(
    name: &str,
    configure: impl FnOnce(VsomeipConfiguration) -> VsomeipConfiguration,
    body: impl FnOnce(),
) {
    let run = |words: &[&str]| {
        let status = Command::new(words[0]).args(&words[1..]).status();
        status.is_ok_and(|status| status.success())
    };
    // SAFETY: it only reads.
    let root = unsafe { libc::geteuid() } == 0;
    let user: &[&str] = if root { &[] } else { &["--map-root-user"] };
    let apart = [&["unshare", "--net"], user].concat();
    if !is_child() && !run(&[&apart[..], &["true"]].concat()) {
        if std::env::var_os("RINGBACK_NO_NAMESPACES").is_some_and(|set| set == "1") {
            return println!("skipped, since RINGBACK_NO_NAMESPACES is set: {name}");
        }
        panic!("no network namespaces here: run as root, or skip with RINGBACK_NO_NAMESPACES=1");
    }
    child(name, &[], &apart, configure, || {
        assert!(run(&["ip", "link", "set", "lo", "up"]), "this needs iproute2");
        assert!(run(&["ip", "route", "add", "224.0.0.0/4", "dev", "lo"]));
        body();
    });
}

/// As [`isolated`], for a process that ends in the middle of its work: what it has not freed then is no
/// leak to an address sanitizer.
pub fn isolated_at_exit(name: &str, body: impl FnOnce()) {
    child(name, &[("ASAN_OPTIONS", "detect_leaks=0")], &[], |configuration| configuration, body);
}

/// As [`isolated`], but vsomeip finds no configuration by itself; [`configuration`] says where it is.
pub fn isolated_without_variable(name: &str, body: impl FnOnce()) {
    child(name, &[("VSOMEIP_CONFIGURATION", "")], &[], |configuration| configuration, body);
}

/// Whether this is the process of a test's body.
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn child(
    name: &str,
    environment: &[(&str, &str)],
    by: &[&str],
    configure: impl FnOnce(VsomeipConfiguration) -> VsomeipConfiguration,
    body: impl FnOnce(),
) {
    if is_child() {
        logger::start();
        return body();
    }
    let network = network(name);
    let path = std::env::temp_dir().join(format!("{network}.json"));
    let configuration = VsomeipConfiguration::new(&application("a"))
        .application(&application("b"))
        .application(&application("c"))
        .application(&application("d"))
        .network(&network)
        // Else one test would see the offers of another.
        .service_discovery([224, 244, 224, 245].into(), free_port());
    std::fs::write(&path, configure(configuration).to_json()).unwrap();
    // What vsomeip has to say is shown where the test fails, and only there.
    let log = std::env::temp_dir().join(format!("{network}.log"));
    let output = File::create(&log).unwrap();
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(by.first().map_or(program.as_os_str(), OsStr::new));
    if !by.is_empty() {
        command.args(&by[1..]).arg(&program);
    }
    let mut child = command
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .env(CHILD, "1")
        .env("VSOMEIP_CONFIGURATION", &path)
        .env(CONFIGURATION, &path)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(180);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let log = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    clean(&network);
    // A name that is not this test's would run nothing, and end well.
    let ran = log.contains("test result: ok. 1 passed");
    if !ran || !status.is_some_and(|status| status.success()) {
        let outcome = status.map_or("hung, and was killed".into(), |status| status.to_string());
        let lines: Vec<_> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(400)..].join("\n");
        panic!("{name}: {outcome}; the end of its output:\n{end}");
    }
}

/// A UDP port that nobody uses.
pub fn free_port() -> u16 {
    std::net::UdpSocket::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port()
}

/// A network key that nobody else uses.
pub fn network(name: &str) -> String {
    format!("rb-{}-{}", std::process::id(), name.rsplit("::").next().unwrap())
}

/// Removes what vsomeip leaves behind.
pub fn clean(network: &str) {
    for entry in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with(network) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The application `a`, `b`, `c` or `d` of the test's configuration.
pub fn application(name: &str) -> VsomeipApplicationConfig {
    VsomeipApplicationConfig::new(name, 0x1000 + u16::from(name.as_bytes()[0]))
}

pub fn uri(text: &str) -> UUri {
    text.parse().unwrap()
}

/// A transport of `//me/<entity>/1/0`, whose network is `//far`.
pub fn transport(name: &str, entity: u32, options: Options) -> UPTransportVsomeip {
    try_transport(name, entity, options).unwrap()
}

pub fn try_transport(
    name: &str,
    entity: u32,
    options: Options,
) -> Result<UPTransportVsomeip, UStatus> {
    let local = UUri::try_from_parts("me", entity, 1, 0).unwrap();
    UPTransportVsomeip::with_options(application(name), local, "far", options)
}

/// For a publisher whose subscriber is there already: waits for it however busy the machine is.
pub fn patient() -> Options {
    Options::default().first_send_wait(Duration::from_secs(30)).first_send_subscribers(1)
}

/// Remembers what it gets.
#[derive(Default)]
pub struct Recorder {
    pub messages: Mutex<Vec<UMessage>>,
    pub count: AtomicUsize,
}

#[async_trait::async_trait]
impl UListener for Recorder {
    async fn on_receive(&self, message: UMessage) {
        self.messages.lock().unwrap().push(message);
        self.count.fetch_add(1, SeqCst);
    }
}

impl Recorder {
    pub fn new() -> Arc<Self> {
        Arc::new(Recorder::default())
    }

    pub fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    /// Waits for so many messages; a minute at most.
    pub fn wait(&self, count: usize) {
        wait_until(&format!("{count} messages"), || self.count() >= count);
    }

    /// The payloads, as text.
    pub fn texts(&self) -> Vec<String> {
        let text = |message: &UMessage| {
            String::from_utf8(message.payload.clone().unwrap_or_default().to_vec()).unwrap()
        };
        self.messages.lock().unwrap().iter().map(text).collect()
    }
}

/// Blocks its thread until told.
#[derive(Default)]
pub struct Blocks {
    pub entered: AtomicUsize,
    pub go_on: AtomicBool,
}

#[async_trait::async_trait]
impl UListener for Blocks {
    async fn on_receive(&self, _: UMessage) {
        self.entered.fetch_add(1, SeqCst);
        while !self.go_on.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Calls a closure for each message.
pub struct Calls<F>(pub F);

#[async_trait::async_trait]
impl<F: Fn(UMessage) + Send + Sync> UListener for Calls<F> {
    async fn on_receive(&self, message: UMessage) {
        (self.0)(message);
    }
}

pub fn wait_until(what: &str, mut there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !there() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Blocks on a future, in a runtime with one thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Where the test's configuration file is.
pub fn configuration() -> PathBuf {
    std::env::var_os(CONFIGURATION).unwrap().into()
}

pub const TOPIC: &str = "//me/1111/1/8001";
pub const OTHER: &str = "//me/1111/1/8002";

pub fn text(topic: &str, text: impl ToString) -> UMessage {
    UMessageBuilder::publish(uri(topic))
        .build_with_payload(text.to_string(), UPayloadFormat::UPAYLOAD_FORMAT_TEXT)
        .unwrap()
}

pub fn two(options: Options) -> (UPTransportVsomeip, UPTransportVsomeip) {
    // Both topics in advance: the second one of a service hears of no subscriber that came before it.
    let publisher = patient().topics(vec![uri(TOPIC), uri(OTHER)]);
    (transport("a", 0x3333, options), transport("b", 0x1111, publisher))
}

pub async fn listen(to: &UPTransportVsomeip, topic: &str, listener: Arc<dyn UListener>) {
    to.register_listener(&uri(topic), None, listener).await.unwrap();
}
