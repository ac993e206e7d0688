// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the transport offers, requests and subscribes to in vsomeip, each once however many
//! listeners and messages need it.
//!
//! # State
//! `Wants` counts who needs what; vsomeip is called under its lock, so that an offer and its end
//! never overtake each other. vsomeip calls no handler of ours from within those calls but the
//! subscription handler, which only touches its own topic.

use crate::ClientId;
use crate::vsomeip::{ANY_MAJOR, Application, Handler, Result, Target, after};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{
    AtomicBool,
    Ordering::{AcqRel, Acquire},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;

type Service = (u16, u16);

fn service_of(of: Target) -> Service {
    (of.service, of.instance)
}

#[derive(Default)]
struct Wants {
    offered: HashMap<Service, Offered>,
    requested: HashMap<Service, usize>,
    /// Those that a request was sent to: requested for good.
    called: HashSet<Service>,
    subscribed: HashMap<Target, Subscribed>,
    /// Watches the services that are subscribed to.
    watched: HashMap<Service, (usize, Handler)>,
}

struct Offered {
    needed: usize,
    major: u8,
    since: Instant,
}

struct Subscribed {
    needed: usize,
    /// With which version, once the service was seen.
    major: Option<u8>,
}

impl Wants {
    fn request(&mut self, application: &Application, of: Target) -> Result<()> {
        if let Some(needed) = self.requested.get_mut(&service_of(of)) {
            *needed += 1;
            return Ok(());
        }
        application.request_service(of, ANY_MAJOR)?;
        self.requested.insert(service_of(of), 1);
        Ok(())
    }

    fn release(&mut self, application: &Application, of: Target) -> Result<()> {
        let Some(needed) = self.requested.get_mut(&service_of(of)) else { return Ok(()) };
        *needed -= 1;
        if *needed == 0 {
            self.requested.remove(&service_of(of));
            application.release_service(of)?;
        }
        Ok(())
    }
}

/// An event that is offered here.
pub(crate) struct Topic {
    event: Target,
    waits_since: Instant,
    /// Subscribers, by client id.
    subscribers: Arc<watch::Sender<Vec<ClientId>>>,
    ready: AtomicBool,
    _handler: Handler,
}

#[derive(Default)]
pub(crate) struct Topics {
    wants: Mutex<Wants>,
    topics: RwLock<HashMap<Target, Arc<Topic>>>,
}

/// vsomeip's `VSOMEIP_ROUTING_CLIENT`, which stands for every subscriber on another machine.
const ELSEWHERE: ClientId = 0;

/// Counts a client that subscribed, or ended that. One on this machine that subscribes again, without a
/// word of its end, is one all the same.
fn count(clients: &mut Vec<ClientId>, client: ClientId, subscribed: bool) {
    let known = clients.iter().position(|known| *known == client);
    match known {
        Some(at) if !subscribed => drop(clients.swap_remove(at)),
        Some(_) if client != ELSEWHERE => {}
        _ if subscribed => clients.push(client),
        _ => {}
    }
}

impl Topics {
    fn wants(&self) -> MutexGuard<'_, Wants> {
        self.wants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers a service for one more listener or event; answers since when it is offered.
    pub(crate) fn offer(
        &self,
        application: &Application,
        of: Target,
        major: u8,
    ) -> Result<Instant> {
        let mut wants = self.wants();
        if let Some(offered) = wants.offered.get_mut(&service_of(of)) {
            if offered.major != major {
                log::warn!(
                    "service {:04x}.{:04x} is offered with version {}; vsomeip offers it with one \
                     version only, so not with {major}",
                    of.service,
                    of.instance,
                    offered.major
                );
            }
            offered.needed += 1;
            return Ok(offered.since);
        }
        application.offer_service(of, major, 0)?;
        let since = Instant::now();
        wants.offered.insert(service_of(of), Offered { needed: 1, major, since });
        Ok(since)
    }

    /// Takes back one [`offer`](Self::offer).
    pub(crate) fn stop_offer(&self, application: &Application, of: Target) -> Result<()> {
        let mut wants = self.wants();
        let Some(offered) = wants.offered.get_mut(&service_of(of)) else { return Ok(()) };
        offered.needed -= 1;
        if offered.needed == 0 {
            let major = offered.major;
            wants.offered.remove(&service_of(of));
            application.stop_offer_service(of, major, 0)?;
        }
        Ok(())
    }

    /// Requests a service for one more listener.
    pub(crate) fn request(&self, application: &Application, of: Target) -> Result<()> {
        self.wants().request(application, of)
    }

    /// Requests a service for good, as the sender of requests does, whichever listeners come and go.
    pub(crate) fn request_once(&self, application: &Application, of: Target) -> Result<()> {
        let mut wants = self.wants();
        if !wants.called.contains(&service_of(of)) {
            wants.request(application, of)?;
            wants.called.insert(service_of(of));
        }
        Ok(())
    }

    /// Takes back one [`request`](Self::request).
    pub(crate) fn release(&self, application: &Application, of: Target) -> Result<()> {
        self.wants().release(application, of)
    }

    /// Subscribes to an event for one more listener, as soon as its service is seen, with the version
    /// that it has. vsomeip would take a subscription before that, but needs to be told the version; and
    /// one that it takes just while the service appears it forgets, now and then.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        application: &Arc<Application>,
        event: Target,
    ) -> Result<()> {
        let mut wants = self.wants();
        wants.request(application, event)?;
        if let Some(subscribed) = wants.subscribed.get_mut(&event) {
            subscribed.needed += 1;
            return Ok(());
        }
        let watched = wants.watched.contains_key(&service_of(event));
        let requested = application.request_event(event);
        let handler = requested.and_then(|()| match watched {
            true => Ok(None),
            false => self.watch(application, event).map(Some),
        });
        let handler = handler.inspect_err(|_| {
            let _ = application.release_event(event);
            let _ = wants.release(application, event);
        })?;
        wants.subscribed.insert(event, Subscribed { needed: 1, major: None });
        if let Some(handler) = handler {
            wants.watched.insert(service_of(event), (1, handler));
        } else if let Some((needed, _)) = wants.watched.get_mut(&service_of(event)) {
            *needed += 1;
            drop(wants);
            self.seen(application, event);
        }
        Ok(())
    }

    /// Watches the service of an event come and go.
    fn watch(self: &Arc<Self>, application: &Arc<Application>, event: Target) -> Result<Handler> {
        let (topics, weak) = (Arc::downgrade(self), Arc::downgrade(application));
        // Told at once where it is there already.
        application.on_availability(event, move |_, _, available| {
            if available
                && let (Some(topics), Some(application)) = (topics.upgrade(), weak.upgrade())
            {
                topics.seen(&application, event);
            }
        })
    }

    /// A service may have appeared: its events are subscribed to, and again where it has come back with
    /// another version. What stays the same vsomeip repeats by itself.
    fn seen(&self, application: &Application, of: Target) {
        let mut wants = self.wants();
        // Asked under the lock: one that overslept would subscribe with the version that was.
        let Some(major) = application.available_major(of) else { return };
        for (&event, subscribed) in &mut wants.subscribed {
            if service_of(event) != service_of(of) || subscribed.major == Some(major) {
                continue;
            }
            let before = subscribed.major.replace(major);
            let ended = before.map_or(Ok(()), |_| application.unsubscribe(event));
            if let Err(error) = ended.and_then(|()| application.subscribe(event, major)) {
                log::warn!("subscribing to {event:?} with version {major}: {error}");
            }
        }
    }

    /// Takes back one [`subscribe`](Self::subscribe).
    pub(crate) fn unsubscribe(&self, application: &Application, event: Target) -> Result<()> {
        let mut wants = self.wants();
        if let Some(subscribed) = wants.subscribed.get_mut(&event) {
            subscribed.needed -= 1;
            if subscribed.needed == 0 {
                let in_vsomeip = subscribed.major.is_some();
                wants.subscribed.remove(&event);
                if let Some((needed, _)) = wants.watched.get_mut(&service_of(event)) {
                    *needed -= 1;
                    if *needed == 0 {
                        wants.watched.remove(&service_of(event));
                    }
                }
                if in_vsomeip {
                    application.unsubscribe(event)?;
                }
                application.release_event(event)?;
            }
        }
        drop(wants);
        self.release(application, event)
    }

    /// The topic of an event, if it is offered.
    pub(crate) fn get(&self, event: Target) -> Option<Arc<Topic>> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).get(&event).cloned()
    }

    /// Offers events, those that are not offered already, with their versions or with `any`: first all
    /// events, then their services. A subscriber that sees a service then finds its events, and their
    /// handlers count it.
    ///
    /// A subscriber of an event that is declared later than its service is attached by vsomeip
    /// already (it keeps a place for it) and no handler hears of it: so such a topic's time to wait
    /// for subscribers began when the service was offered.
    pub(crate) fn declare(
        &self,
        application: &Application,
        events: &[(Target, u8)],
        any: Option<u8>,
    ) -> Result<()> {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let mut new: Vec<(Target, u8, Arc<watch::Sender<_>>, Handler)> = Vec::new();
        for &(event, major) in events {
            if topics.contains_key(&event) || new.iter().any(|(other, ..)| *other == event) {
                continue;
            }
            let subscribers = Arc::new(watch::Sender::new(Vec::new()));
            let counted = Arc::downgrade(&subscribers);
            let handler = application.on_subscribed(event, move |client, subscribed| {
                if let Some(subscribers) = counted.upgrade() {
                    subscribers.send_modify(|clients| count(clients, client, subscribed));
                }
            })?;
            application.offer_event(event)?;
            new.push((event, major, subscribers, handler));
        }
        for (event, major, subscribers, handler) in new {
            let waits_since = self.offer(application, event, any.unwrap_or(major))?;
            let ready = false.into();
            let topic = Topic { event, waits_since, subscribers, ready, _handler: handler };
            topics.insert(event, Arc::new(topic));
        }
        Ok(())
    }
}

impl Topic {
    /// Whether messages may go out without waiting.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Acquire)
    }

    pub(crate) fn subscribers(&self) -> usize {
        self.subscribers.borrow().len()
    }

    /// Whom a Notification for a client goes to: that client, if it subscribed here. vsomeip has one
    /// client id for all that subscribed on other machines, where SOME/IP names no addressee.
    pub(crate) fn addressee(&self, client: ClientId) -> ClientId {
        let clients = self.subscribers.borrow();
        let elsewhere = !clients.contains(&client) && clients.contains(&ELSEWHERE);
        if elsewhere { ELSEWHERE } else { client }
    }

    /// Waits for subscribers that were there before: until so many are attached, at most so long after
    /// the service was offered. How many there are vsomeip knows nowhere. `settle` is what vsomeip needs
    /// from its word that one is attached until it is so. In our runtime.
    pub(crate) async fn ready(self: Arc<Self>, enough: usize, at_most: Duration, settle: Duration) {
        let until = after(self.waits_since, at_most);
        let mut watch = self.subscribers.subscribe();
        let attached = watch.wait_for(|clients| clients.len() >= enough);
        let attached = tokio::time::timeout_at(until.into(), attached).await.is_ok();
        if attached && !settle.is_zero() && !self.is_ready() {
            tokio::time::sleep(settle).await;
        }
        if !self.ready.swap(true, AcqRel) && !attached {
            let Target { service, instance, method } = self.event;
            log::debug!(
                "the first message of event {service:04x}.{instance:04x}.{method:04x} goes out \
                 {at_most:?} after its service was offered, to {} subscribers; who comes later misses \
                 it",
                self.subscribers()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VsomeipApplicationConfig, VsomeipConfiguration};

    /// What vsomeip leaves behind is removed in the end.
    struct Network(String);

    impl Drop for Network {
        fn drop(&mut self) {
            for entry in std::fs::read_dir("/tmp").into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with(&self.0) {
                    let _ = std::fs::remove_file(entry.path());
                }
            }
        }
    }

    #[test]
    fn a_client_is_one_subscriber_and_another_machine_as_many_as_it_said() {
        let mut clients = Vec::new();
        for (client, subscribed, expected) in [
            (7, false, 0),
            (7, true, 1),
            (7, true, 1),
            (ELSEWHERE, true, 2),
            (ELSEWHERE, true, 3),
            (7, false, 2),
            (7, false, 2),
            (ELSEWHERE, false, 1),
        ] {
            count(&mut clients, client, subscribed);
            assert_eq!(clients.len(), expected, "{client} {subscribed}");
        }
    }

    #[test]
    fn what_is_counted_is_what_vsomeip_was_told() {
        let network = Network(format!("rb-topics-{}", std::process::id()));
        let name = "topics";
        let configuration = VsomeipConfiguration::new(&VsomeipApplicationConfig::new(name, 0x1717));
        let file = configuration.network(&network.0).in_memory().unwrap();
        let limit = Duration::from_secs(30);
        let application = Arc::new(Application::start(name, Some(&file.path), limit).unwrap());
        let topics = Arc::new(Topics::default());
        let of = Target { service: 0x2222, instance: 1, method: 0x8001 };
        let requested = || topics.wants().requested.get(&service_of(of)).copied();

        topics.request(&application, of).unwrap();
        topics.request_once(&application, of).unwrap();
        topics.request_once(&application, of).unwrap();
        assert_eq!(requested(), Some(2), "for a listener, and for good");
        topics.release(&application, of).unwrap();
        assert_eq!(requested(), Some(1), "a response may be under way");

        // Nothing can be told any more, and so nothing counts.
        application.end().unwrap();
        let other = Target { service: 0x3333, ..of };
        for _ in 0..2 {
            assert!(topics.subscribe(&application, of).is_err());
            assert!(topics.subscribe(&application, other).is_err());
            assert!(topics.request(&application, other).is_err());
            assert!(topics.request_once(&application, other).is_err());
        }
        assert_eq!(requested(), Some(1));
        let wants = topics.wants();
        assert_eq!((wants.requested.len(), wants.called.len()), (1, 1));
        assert!(wants.subscribed.is_empty() && wants.watched.is_empty());
    }
}
