// SPDX-License-Identifier: MIT OR Apache-2.0

//! The bytes on the wire, datagrams that are none, a routing manager that dies, and a client id that
//! another process has.

mod common;

use common::*;
use ringback_vsomeip::{Options, UPTransportVsomeip};
use std::net::UdpSocket;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};
use up_rust::{UCode, UListener, UMessage, UMessageBuilder, UPayloadFormat, UTransport, UUri};

const METHOD: &str = "//me/2222/3/7";

/// Answers with the payload; `fail` in it asks for an error.
struct Echo(std::sync::Weak<UPTransportVsomeip>, Arc<Recorder>);

#[async_trait::async_trait]
impl UListener for Echo {
    async fn on_receive(&self, request: UMessage) {
        self.1.on_receive(request.clone()).await;
        let payload = request.payload.clone().unwrap_or_default();
        let fails = payload.starts_with(b"fail");
        let code = if fails { UCode::DATA_LOSS } else { UCode::OK };
        let response = UMessageBuilder::response_for_request(&request.attributes)
            .with_comm_status(code)
            .build_with_payload(payload, UPayloadFormat::UPAYLOAD_FORMAT_UNSPECIFIED)
            .unwrap();
        if let Some(transport) = self.0.upgrade() {
            transport.send(response).await.unwrap();
        }
    }
}

/// Ends the server, and waits for that: no listener holds it any more, so this is the last one.
fn end(server: Arc<UPTransportVsomeip>, echo: Arc<dyn UListener>) {
    let anybody = UUri::any_with_resource_id(0);
    block_on(server.retire_listener(&anybody, Some(&uri(METHOD)), echo).unwrap()).unwrap();
    drop(server);
}

type Server = (Arc<UPTransportVsomeip>, Arc<dyn UListener>);

/// A server whose service has a UDP port, and a socket that talks to it.
fn server() -> (Server, Arc<Recorder>, UdpSocket) {
    let configuration = std::fs::read_to_string(configuration()).unwrap();
    let port = configuration.split("\"unreliable\": \"").nth(1).unwrap().split('"').next().unwrap();
    let server = Arc::new(transport("a", 0x2222, Options::default()));
    let recorder = Recorder::new();
    let echo: Arc<dyn UListener> = Arc::new(Echo(Arc::downgrade(&server), recorder.clone()));
    let anybody = UUri::any_with_resource_id(0);
    block_on(server.register_listener(&anybody, Some(&uri(METHOD)), echo.clone())).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    ((server, echo), recorder, socket)
}

/// Sends a request until it is answered; the service needs a moment to open its port.
fn ask(socket: &UdpSocket, request: &[u8]) -> Vec<u8> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut buffer = [0; 1500];
    loop {
        assert!(Instant::now() < deadline, "no answer to {request:02x?}");
        let _ = socket.send(request);
        if let Ok(length) = socket.recv(&mut buffer)
            && buffer[8..12] == request[8..12]
        {
            return buffer[..length].to_vec();
        }
    }
}

fn request(service: u16, method: u16, session: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(service.to_be_bytes());
    bytes.extend(method.to_be_bytes());
    bytes.extend((payload.len() as u32 + 8).to_be_bytes());
    bytes.extend([0x44, 0x44]); // client
    bytes.extend(session.to_be_bytes());
    bytes.extend([1, 3, 0, 0]); // protocol and interface version, REQUEST, E_OK
    bytes.extend(payload);
    bytes
}

fn with_udp_port(test: &str, body: impl FnOnce()) {
    let port = free_port().to_string();
    let service = serde_json::json!([
        { "service": "0x2222", "instance": "0x0001", "unreliable": port }
    ]);
    isolated_with(
        test,
        // With service discovery vsomeip waits for a multicast route, which "lo" has not: a service that
        // is offered before it has seen the interface would never get its port.
        |configuration| {
            configuration
                .unicast([127, 0, 0, 1].into())
                .set("service-discovery", serde_json::json!({ "enable": "false" }))
                .set("services", service)
        },
        body,
    );
}

#[test]
fn the_bytes_on_the_wire() {
    with_udp_port("the_bytes_on_the_wire", || {
        let ((server, echo), recorder, socket) = server();
        let answer = ask(&socket, &request(0x2222, 7, 0x0102, b"ping"));
        let mut expected = request(0x2222, 7, 0x0102, b"ping");
        expected[14] = 0x80; // RESPONSE
        assert_eq!(answer, expected);
        let heard = recorder.messages.lock().unwrap()[0].clone();
        assert_eq!(heard.sink_unchecked(), &uri(METHOD));
        assert_eq!(heard.source_unchecked(), &uri("//far/4444/1/0"));

        let answer = ask(&socket, &request(0x2222, 7, 0x0103, b"fail"));
        let mut expected = request(0x2222, 7, 0x0103, b"fail");
        (expected[14], expected[15]) = (0x81, 0x09); // ERROR, E_MALFORMED_MESSAGE
        assert_eq!(answer, expected);

        let before = recorder.count();
        let answer = ask(&socket, &request(0x2222, 8, 0x0104, b"x"));
        let mut expected = request(0x2222, 8, 0x0104, b"");
        (expected[14], expected[15]) = (0x81, 0x03); // ERROR, E_UNKNOWN_METHOD: nobody listens
        assert_eq!(answer, expected);
        let mut other = request(0x2222, 7, 0x0105, b"");
        other[13] = 9; // interface version
        let answer = ask(&socket, &other);
        assert_eq!(answer[14..16], [0x81, 0x08], "E_WRONG_INTERFACE_VERSION");
        assert_eq!(recorder.count(), before);
        end(server, echo);
    });
}

/// The methods that have a listener each, beside the echo.
const METHODS: [u16; 3] = [8, 9, 10];

#[test]
fn datagrams_that_are_no_messages_are_dropped() {
    with_udp_port("datagrams_that_are_no_messages_are_dropped", || {
        let ((server, echo), recorder, socket) = server();
        let anybody = UUri::any_with_resource_id(0);
        let listeners = METHODS.map(|method| (method, Recorder::new()));
        for (method, listener) in &listeners {
            let method = UUri::try_from_parts("me", 0x2222, 3, *method).unwrap();
            block_on(server.register_listener(&anybody, Some(&method), listener.clone())).unwrap();
        }
        ask(&socket, &request(0x2222, 7, 1, b"before"));
        // A small generator, so that a failure can be repeated.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for number in 0..6_000 {
            // Whoever gets this can tell by the payload whom it was for.
            let method = 7 + random() as u16 % 4;
            let mut bytes = request(0x2222, method, 2, &method.to_be_bytes().repeat(5));
            match number % 6 {
                0 => bytes.truncate(random() as usize % bytes.len()),
                1 => bytes[4..8].copy_from_slice(&(random() as u32).to_be_bytes()), // length
                2 => bytes[12] = 2 + random() as u8 % 200,                          // protocol
                3 => bytes[0..2].copy_from_slice(&[0x77, random() as u8]),          // service
                4 => {} // nothing is wrong with this one
                _ => bytes = (0..random() % 64).map(|_| random() as u8).collect(),
            }
            let _ = socket.send(&bytes);
            if number % 50 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        // It still works, and each listener got what was for it, and some of that.
        socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        ask(&socket, &request(0x2222, 7, 0xBEEF, b"after"));
        let echoed = (7, recorder);
        for (method, listener) in [&echoed].into_iter().chain(&listeners) {
            wait_until("a message", || listener.count() > 0);
            for message in listener.messages.lock().unwrap().iter() {
                let sink = message.sink_unchecked();
                assert_eq!((sink.ue_id, sink.resource_id), (0x2222, u32::from(*method)));
                let payload = message.payload.clone().unwrap_or_default();
                let own = *method == 7 && [&b"before"[..], b"after"].contains(&&payload[..]);
                let fits = payload.chunks(2).all(|part| method.to_be_bytes().starts_with(part));
                assert!(own || fits, "method {method} got {payload:02x?}");
            }
        }
        end(server, echo);
    });
}

/// A process that can be killed, and does not outlive this one.
fn start(process: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", process, "--ignored", "--nocapture"])
        .spawn()
        .unwrap()
}

/// In such a process, before all else.
fn end_with_the_test() {
    // SAFETY: it only says which signal this process gets when the thread that started it ends, and that
    // thread waits for it.
    let told = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    assert_eq!(told, 0);
}

/// The routing manager.
fn start_routing() -> Child {
    start("routing_process")
}

#[test]
#[ignore = "the process that another test kills"]
fn routing_process() {
    end_with_the_test();
    let limit = Duration::from_secs(20);
    let _routing = ringback_vsomeip::vsomeip::Application::start("d", None, limit).unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn a_routing_manager_may_die_and_come_back() {
    let test = "a_routing_manager_may_die_and_come_back";
    isolated_with(
        test,
        |configuration| configuration.routing("d"),
        || {
            let topic = uri(TOPIC);
            let mut routing = start_routing();
            let options = || patient().start_timeout(Duration::from_secs(20));
            let subscriber = transport("a", 0x3333, options());
            let publisher = transport("b", 0x1111, options());
            let recorder = Recorder::new();
            let publish = |number: usize| {
                block_on(publisher.send(text(TOPIC, number))).unwrap();
            };
            block_on(subscriber.register_listener(&topic, None, recorder.clone())).unwrap();
            (0..10).for_each(publish);
            recorder.wait(10);

            routing.kill().unwrap();
            routing.wait().unwrap();
            std::thread::sleep(Duration::from_secs(1));
            let mut routing = start_routing();
            let before = recorder.count();
            let mut number = 10;
            wait_until("messages after the routing manager came back", || {
                publish(number);
                number += 1;
                std::thread::sleep(Duration::from_millis(20));
                recorder.count() >= before + 20
            });
            let numbers: Vec<usize> =
                recorder.texts().iter().map(|text| text.parse().unwrap()).collect();
            assert!(numbers.is_sorted(), "in order: {numbers:?}");
            assert_eq!(publisher.subscribers(&topic), 1, "it subscribed again, and is one");
            drop((subscriber, publisher));
            routing.kill().unwrap();
            routing.wait().unwrap();
        },
    );
}

#[test]
#[ignore = "the process that another test starts twice"]
fn publishing_process() {
    end_with_the_test();
    let publisher = transport("a", 0x1111, Options::default());
    for number in 0..=i32::MAX {
        block_on(publisher.send(text(TOPIC, number))).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_client_id_that_another_process_has_is_refused() {
    let test = "a_client_id_that_another_process_has_is_refused";
    isolated(test, || {
        let network = configuration().file_stem().unwrap().to_owned().into_string().unwrap();
        let socket = std::path::PathBuf::from(format!("/tmp/{network}-1061"));
        // The first one is the routing manager: there vsomeip says nothing, and both get nothing.
        let mut first = start("publishing_process");
        wait_until("its socket", || socket.exists());
        let options = Options::default().start_timeout(Duration::from_secs(20));
        let subscriber = transport("c", 0x3333, options);
        let recorder = Recorder::new();
        block_on(listen(&subscriber, TOPIC, recorder.clone()));
        recorder.wait(1);

        let error = try_transport("a", 0x4444, Options::default()).err().unwrap();
        assert_eq!(error.get_code(), UCode::ALREADY_EXISTS);
        let told = error.get_message();
        assert!(told.contains("client id 0x1061 of \"a\""), "{told}");
        assert!(told.contains(socket.to_str().unwrap()), "{told}");
        assert!(told.contains("\"id\" of its own"), "{told}");
        let before = recorder.count();
        recorder.wait(before + 20); // the first one was not harmed

        first.kill().unwrap();
        first.wait().unwrap();
        assert!(socket.exists(), "what a crash leaves behind");
        let mut again = start("publishing_process");
        let before = recorder.count();
        recorder.wait(before + 20);
        drop(subscriber);
        again.kill().unwrap();
        again.wait().unwrap();
    });
}
