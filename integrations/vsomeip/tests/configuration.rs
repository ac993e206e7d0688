// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which configuration is in force, and options at their limits.

mod common;

use common::logger::logged;
use common::*;
use ringback_vsomeip::{
    Options, Overflow, RuntimeConfig, UPTransportVsomeip, VsomeipApplicationConfig,
    VsomeipConfiguration,
};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use up_rust::{UCode, UListener, UMessage, UMessageBuilder, UTransport, UUri};

/// A configuration whose applications may have more dispatchers, once one was held up so long.
fn dispatchers(configuration: VsomeipConfiguration, milliseconds: &str) -> VsomeipConfiguration {
    let applications = ["a", "b"].map(
        |name| json!({ "name": name, "max_dispatchers": "10", "max_dispatch_time": milliseconds }),
    );
    configuration.set("applications", json!(applications))
}

/// vsomeip's dispatchers in this process that are not an application's first one, which is there.
fn more_dispatchers() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let name = |path: PathBuf| std::fs::read_to_string(path.join("comm")).unwrap_or_default();
    let names: Vec<_> = tasks.map(|task| name(task.path()).trim().to_owned()).collect();
    let first = |name: &&String| name.ends_with("_m_dispatch");
    assert!(
        names.iter().any(|name| first(&name)),
        "vsomeip names its threads otherwise: {names:?}"
    );
    names.iter().filter(|name| name.ends_with("_dispatch") && !first(name)).count()
}

/// Sleeps by tokio's clock, and counts.
#[derive(Default)]
struct Naps(AtomicUsize);

#[async_trait::async_trait]
impl UListener for Naps {
    async fn on_receive(&self, _: UMessage) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn one_message_holds_the_dispatcher_once_however_many_mailboxes_are_full() {
    let test = "one_message_holds_the_dispatcher_once_however_many_mailboxes_are_full";
    // Half of it is what a message may wait; the other half is for a machine that is busy.
    let configure = |configuration| dispatchers(configuration, "2000");
    isolated_with(test, configure, || {
        let options = Options::default().mailbox(1, Overflow::Block(Duration::MAX));
        let (subscriber, publisher) = two(options.runtime(RuntimeConfig::new(5)));
        let blocks: Vec<_> = (0..4).map(|_| Arc::new(Blocks::default())).collect();
        let recorder = Recorder::new();
        block_on(async {
            for listener in &blocks {
                listen(&subscriber, TOPIC, listener.clone()).await;
            }
            listen(&subscriber, OTHER, recorder.clone()).await;
            publisher.send(text(TOPIC, "inside")).await.unwrap();
            wait_until("all inside", || {
                blocks.iter().all(|listener| listener.entered.load(SeqCst) == 1)
            });
            publisher.send(text(TOPIC, "queued")).await.unwrap();
            publisher.send(text(TOPIC, "rejected by all")).await.unwrap();
            publisher.send(text(OTHER, "after")).await.unwrap();
        });
        let mut more = 0;
        wait_until("what came after", || {
            more = more.max(more_dispatchers());
            recorder.count() == 1
        });
        assert_eq!(more, 0, "vsomeip took the dispatcher for stuck");
        assert_eq!(subscriber.stats().rejected, 4);
        blocks.iter().for_each(|listener| listener.go_on.store(true, SeqCst));
    });
}

#[test]
fn a_dispatcher_is_held_no_longer_than_the_configuration_in_force_allows() {
    let test = "a_dispatcher_is_held_no_longer_than_the_configuration_in_force_allows";
    let configure = |configuration| dispatchers(configuration, "60000");
    isolated_with(test, configure, || {
        // What is given is not in force, and neither is its limit.
        let given = configuration().with_extension("given.json");
        let json = VsomeipConfiguration::new(&application("a")).to_json();
        std::fs::write(&given, json).unwrap();
        let options = Options::default().configuration(&given);
        let subscriber = transport("a", 0x3333, options.mailbox(1, Overflow::Block(Duration::MAX)));
        let warnings = logged("does not use");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(given.to_str().unwrap()), "{warnings:?}");
        assert!(warnings[0].contains(configuration().to_str().unwrap()), "{warnings:?}");
        assert!(logged("lacks \"max_dispatchers\"").concat().contains("\"a\""));

        let publisher = transport("b", 0x1111, patient());
        let blocks = Arc::new(Blocks::default());
        let listener: Arc<dyn UListener> = blocks.clone();
        block_on(async {
            listen(&subscriber, TOPIC, listener.clone()).await;
            for number in 0..3 {
                publisher.send(text(TOPIC, number)).await.unwrap();
            }
            wait_until("the call", || blocks.entered.load(SeqCst) == 1);
            // With what was given, the last one would be rejected after 50 ms.
            std::thread::sleep(Duration::from_secs(1));
            blocks.go_on.store(true, SeqCst);
            wait_until("all of them", || blocks.entered.load(SeqCst) == 3);
        });
        assert_eq!(subscriber.stats().rejected, 0);
    });
}

#[test]
fn a_second_transport_is_told_that_the_first_ones_configuration_counts() {
    let test = "a_second_transport_is_told_that_the_first_ones_configuration_counts";
    isolated_without_variable(test, || {
        let first = configuration();
        let _first = transport("a", 0x3333, Options::default().configuration(&first));
        assert_eq!(logged("application"), [""; 0]);
        let copy = first.with_extension("copy.json");
        std::fs::copy(&first, &copy).unwrap();
        let _same = transport("b", 0x1111, Options::default().configuration(&copy));
        let _named = transport("c", 0x4444, Options::default());
        assert_eq!(logged("application"), [""; 0], "they are what they think");

        let other = first.with_extension("other.json");
        let json = VsomeipConfiguration::new(&application("e")).network("another").to_json();
        std::fs::write(&other, json).unwrap();
        let _other = transport("e", 0x5555, Options::default().configuration(&other));
        let _generated = transport("f", 0x6666, Options::default());
        let (name, files) = (first.to_str().unwrap(), logged("does not use").concat());
        assert!(files.contains("\"e\" does not use") && files.contains(name), "{files}");
        let unnamed = logged("is not in this process's configuration");
        assert_eq!(unnamed.len(), 2, "{unnamed:?}");
        assert!(unnamed[0].contains("\"e\"") && unnamed[1].contains("\"f\""), "{unnamed:?}");
        assert!(unnamed.iter().all(|line| line.contains(name) && line.contains("Name it there")));
    });
}

#[test]
fn a_configuration_may_be_a_folder() {
    isolated_without_variable("a_configuration_may_be_a_folder", || {
        let folder = configuration().with_extension("d");
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(configuration(), folder.join("all.json")).unwrap();
        std::fs::write(folder.join("README"), "of this folder").unwrap();
        let local = uri("//me/3333/1/0");
        // The first application of its files.
        let subscriber =
            UPTransportVsomeip::new_with_config(local, &"far".to_owned(), &folder, None).unwrap();
        let options = Options::default().configuration(&folder).first_send_subscribers(1);
        let publisher = transport("b", 0x1111, options);
        let recorder = Recorder::new();
        block_on(listen(&subscriber, TOPIC, recorder.clone()));
        wait_until("a message", || {
            block_on(publisher.send(text(TOPIC, "x"))).unwrap();
            recorder.count() != 0
        });
        assert_eq!(subscriber.client_id(), 0x1061, "as the file says");
        assert_eq!(logged("application"), [""; 0]);
        let skipped = logged("vsomeip skips");
        assert!(skipped.len() == 1 && skipped[0].contains("/README: "), "{skipped:?}");
        std::fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn a_configuration_may_be_built_in_code() {
    isolated_without_variable("a_configuration_may_be_built_in_code", || {
        let network = network("in-code");
        let built = VsomeipConfiguration::new(&application("a"))
            .application(&application("b"))
            .network(&network)
            .service_discovery([224, 244, 224, 245].into(), free_port());
        let options = || Options::default().configuration_in_code(built.clone());
        let subscriber = transport("a", 0x3333, options());
        let publisher = transport("b", 0x1111, options().first_send_subscribers(1));
        let recorder = Recorder::new();
        block_on(listen(&subscriber, TOPIC, recorder.clone()));
        block_on(publisher.send(text(TOPIC, "x"))).unwrap();
        recorder.wait(1);
        assert_eq!(publisher.client_id(), 0x1062, "as the configuration says");
        assert_eq!(logged("application"), [""; 0], "it is in force, and lacks nothing");

        let other = built.clone().set("applications", json!([{ "name": "c" }])).network("other");
        let _other = transport("c", 0x5555, Options::default().configuration_in_code(other));
        let warnings = logged("does not use the configuration built in code");
        assert!(warnings.len() == 1 && warnings[0].contains("\"c\""), "{warnings:?}");
        assert_eq!(
            logged("WARN: configuration built in code:").len(),
            2,
            "no id, no max_dispatchers"
        );
        let bad = Options::default().configuration_in_code(built.set("services", json!("all")));
        let error = try_transport("d", 0x6666, bad).unwrap_err();
        assert_eq!(error.get_code(), UCode::INVALID_ARGUMENT);
        assert!(error.get_message().contains("write a list"), "{error}");
        clean(&network);
    });
}

#[test]
fn a_file_is_warned_of_once() {
    isolated_without_variable("a_file_is_warned_of_once", || {
        let file = configuration().with_extension("once.json");
        let json = VsomeipConfiguration::new(&application("a"));
        std::fs::write(&file, dispatchers(json, "100").to_json()).unwrap();
        let local = uri("//me/3333/1/0");
        let _first =
            UPTransportVsomeip::new_with_config(local, &"far".to_owned(), &file, None).unwrap();
        let warnings = logged("lacks \"max_dispatchers\"");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains("once.json:") && warnings[0].contains("\"a\""),
            "{warnings:?}"
        );
        // The second one of the file is warned of by its own name.
        let _second = transport("b", 0x1111, Options::default().configuration(&file));
        let warnings = logged("lacks \"max_dispatchers\"");
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[1].contains("\"b\""), "{warnings:?}");
    });
}

#[test]
fn a_service_of_another_host_is_not_offered_here() {
    let test = "a_service_of_another_host_is_not_offered_here";
    let configure = |configuration: VsomeipConfiguration| {
        let service = |service: &str| json!({ "service": service, "instance": "0x1" });
        let mut there = service("0x2223");
        there["unicast"] = json!("10.55.0.9");
        configuration.set("services", json!([service("0x2222"), there]))
    };
    isolated_with(test, configure, || {
        let server = transport("a", 0x2222, Options::default());
        let named = transport("b", 0x2224, Options::default());
        let client = transport("c", 0x3333, Options::default());
        let recorder = Recorder::new();
        let everything = uri("//me/FFFFFFFF/FF/FFFF");
        let of_one = uri("//me/2224/1/FFFF"); // which no configuration names
        block_on(async {
            let any = UUri::any();
            server.register_listener(&any, Some(&everything), recorder.clone()).await.unwrap();
            named.register_listener(&any, Some(&of_one), recorder.clone()).await.unwrap();
            let call = async |service: u32| {
                let method = UUri::try_from_parts("me", service, 1, 7).unwrap();
                let request = UMessageBuilder::request(method, uri("//me/3333/1/0"), 60_000);
                client.send({ request }.build().unwrap()).await.map_err(|error| error.get_code())
            };
            assert_eq!(call(0x2222).await, Ok(()));
            recorder.wait(1);
            assert_eq!(call(0x2224).await, Ok(()));
            recorder.wait(2);
            assert_eq!(call(0x2223).await, Err(UCode::UNAVAILABLE));
        });
        let sinks: Vec<_> =
            recorder.messages.lock().unwrap().iter().map(|m| m.sink().cloned()).collect();
        assert_eq!(sinks, [Some(uri("//me/2222/1/7")), Some(uri("//me/2224/1/7"))]);
    });
}

#[test]
fn no_time_is_too_long() {
    isolated("no_time_is_too_long", || {
        let for_ever = || {
            Options::default()
                .start_timeout(Duration::MAX)
                .first_send_wait(Duration::MAX)
                .first_send_subscribers(1)
                .availability_wait(Duration::MAX)
                .request_ttl(Duration::MAX)
                .mailbox(usize::MAX, Overflow::Block(Duration::MAX))
                .max_requests(usize::MAX)
                .max_listeners(usize::MAX)
                .max_listeners_per_filter(usize::MAX)
        };
        let (subscriber, publisher) =
            (transport("a", 0x3333, for_ever()), transport("b", 0x1111, for_ever()));
        let (recorder, answers) = (Recorder::new(), Recorder::new());
        let method = uri("//me/2222/1/7");
        block_on(async {
            listen(&subscriber, TOPIC, recorder.clone()).await;
            publisher.send(text(TOPIC, "first")).await.unwrap();
            recorder.wait(1);

            let me = uri("//me/3333/1/0");
            let any = UUri::any();
            subscriber.register_listener(&any, Some(&me), answers.clone()).await.unwrap();
            // It waits for the service, which comes when it has begun to.
            let request = UMessageBuilder::request(method.clone(), me, u32::MAX).build().unwrap();
            let requests = Recorder::new();
            let serve = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let anybody = UUri::any_with_resource_id(0);
                publisher
                    .register_listener(&anybody, Some(&method), requests.clone())
                    .await
                    .unwrap();
            };
            let (sent, ()) = tokio::join!(subscriber.send(request), serve);
            sent.unwrap();
            requests.wait(1);
            let request = requests.messages.lock().unwrap()[0].clone();
            assert_eq!(request.ttl(), Some(u32::MAX));
            let response = UMessageBuilder::response_for_request(&request.attributes);
            publisher.send({ response }.build().unwrap()).await.unwrap();
            answers.wait(1);
        });
        let quiet = subscriber.retire_listener(&uri(TOPIC), None, recorder).unwrap();
        assert!(quiet.wait_timeout(Duration::MAX).is_ok());
    });
}

#[test]
fn a_name_that_no_application_can_have_is_refused() {
    isolated("a_name_that_no_application_can_have_is_refused", || {
        for name in ["do\0or", ""] {
            let application = VsomeipApplicationConfig::new(name, 1);
            let local = uri("//me/1111/1/0");
            let result = UPTransportVsomeip::new(application, local, &"far".to_owned(), None);
            let error = result.unwrap_err();
            assert_eq!(error.get_code(), UCode::INVALID_ARGUMENT);
            assert!(error.get_message().contains(&format!("named {name:?}")), "{error}");
            assert!(error.get_message().contains("a name without NUL"), "{error}");
        }
    });
}

#[test]
fn an_id_that_differs_from_the_configurations_is_warned_of() {
    let test = "an_id_that_differs_from_the_configurations_is_warned_of";
    isolated_without_variable(test, || {
        let options = || Options::default().configuration(configuration());
        let of = |name: &str, id| {
            let application = VsomeipApplicationConfig::new(name, id);
            let local = uri("//me/3333/1/0");
            UPTransportVsomeip::with_options(application, local, "far", options()).unwrap()
        };
        let as_the_file_says = of("a", 0x1061);
        assert_eq!(logged("has the id"), [""; 0]);
        let other = of("b", 0x1414);
        let warnings = logged("has the id");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("\"b\" has the id 0x1062"), "{warnings:?}");
        assert!(warnings[0].contains("0x1414") && warnings[0].contains("the same in both"));
        assert_eq!((as_the_file_says.client_id(), other.client_id()), (0x1061, 0x1062));
    });
}

#[test]
fn a_response_that_waits_for_room_holds_up_no_timer_of_a_listener() {
    let test = "a_response_that_waits_for_room_holds_up_no_timer_of_a_listener";
    // It waits for longer than this test does.
    let configure = |configuration| dispatchers(configuration, "600000");
    isolated_with(test, configure, || {
        let options = Options::default().mailbox(1, Overflow::Block(Duration::MAX));
        let (client, server) = two(options);
        let (blocks, naps) = (Arc::new(Blocks::default()), Arc::new(Naps::default()));
        let (me, method) = (uri("//me/3333/1/0"), uri("//me/1111/1/7"));
        block_on(async {
            listen(&client, TOPIC, naps.clone()).await;
            client.register_listener(&UUri::any(), Some(&me), blocks.clone()).await.unwrap();
            let anybody = UUri::any_with_resource_id(0);
            server.register_listener(&anybody, Some(&method), Recorder::new()).await.unwrap();
            // Nobody answers: of three responses from here one is inside, one queued, and one waits.
            for _ in 0..3 {
                let request = UMessageBuilder::request(method.clone(), me.clone(), 100);
                client.send({ request }.build().unwrap()).await.unwrap();
                wait_until("the first response", || blocks.entered.load(SeqCst) == 1);
            }
        });
        wait_until("the end of all", || client.stats().expired_requests == 3);
        std::thread::sleep(Duration::from_millis(100));
        block_on(server.send(text(TOPIC, "nap"))).unwrap();
        wait_until("the end of a nap", || naps.0.load(SeqCst) == 1);
        assert_eq!(blocks.entered.load(SeqCst), 1);
        blocks.go_on.store(true, SeqCst);
    });
}

#[test]
fn names_are_taken_once_and_files_are_checked() {
    isolated("names_are_taken_once_and_files_are_checked", || {
        let first = transport("a", 0x3333, Options::default());
        let error = try_transport("a", 0x4444, Options::default()).unwrap_err();
        assert_eq!(error.get_code(), UCode::ALREADY_EXISTS);
        assert!(error.get_message().contains("a name of its own"), "{error}");
        drop(first);
        drop(transport("a", 0x3333, Options::default()));
        let missing = Options::default().configuration("/no/such.json");
        assert_eq!(try_transport("b", 1, missing).unwrap_err().get_code(), UCode::NOT_FOUND);
        let local = uri("//me/1111/1/8001");
        let result = UPTransportVsomeip::new(application("c"), local, &"far".to_string(), None);
        assert_eq!(result.unwrap_err().get_code(), UCode::INVALID_ARGUMENT);
    });
}
