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
use std::collections::HashMap;
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

    /// Requests a service for one more listener or call.
    pub(crate) fn request(&self, application: &Application, of: Target) -> Result<()> {
        let mut wants = self.wants();
        let needed = wants.requested.entry(service_of(of)).or_default();
        *needed += 1;
        if *needed == 1 {
            application.request_service(of, ANY_MAJOR)?;
        }
        Ok(())
    }

    /// Requests a service for good, as the sender of requests does.
    pub(crate) fn request_once(&self, application: &Application, of: Target) -> Result<()> {
        if self.wants().requested.contains_key(&service_of(of)) {
            return Ok(());
        }
        self.request(application, of)
    }

    /// Takes back one [`request`](Self::request).
    pub(crate) fn release(&self, application: &Application, of: Target) -> Result<()> {
        let mut wants = self.wants();
        let Some(needed) = wants.requested.get_mut(&service_of(of)) else { return Ok(()) };
        *needed -= 1;
        if *needed == 0 {
            wants.requested.remove(&service_of(of));
            application.release_service(of)?;
        }
        Ok(())
    }

    /// Subscribes to an event for one more listener, as soon as its service is seen, with the version
    /// that it has. vsomeip would take a subscription before that, but needs to be told the version; and
    /// one that it takes just while the service appears it forgets, now and then.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        application: &Arc<Application>,
        event: Target,
    ) -> Result<()> {
        self.request(application, event)?;
        let mut wants = self.wants();
        let subscribed =
            wants.subscribed.entry(event).or_insert(Subscribed { needed: 0, major: None });
        subscribed.needed += 1;
        if subscribed.needed > 1 {
            return Ok(());
        }
        application.request_event(event)?;
        if let Some((needed, _)) = wants.watched.get_mut(&service_of(event)) {
            *needed += 1;
            drop(wants);
            self.seen(application, event);
            return Ok(());
        }
        let (topics, weak) = (Arc::downgrade(self), Arc::downgrade(application));
        // Told at once where it is there already.
        let handler = application.on_availability(event, move |_, _, available| {
            if available
                && let (Some(topics), Some(application)) = (topics.upgrade(), weak.upgrade())
            {
                topics.seen(&application, event);
            }
        })?;
        wants.watched.insert(service_of(event), (1, handler));
        Ok(())
    }

    /// A service may have appeared: its events are subscribed to, and again where it has come back with
    /// another version. What stays the same vsomeip repeats by itself.
    fn seen(&self, application: &Application, of: Target) {
        let Some(major) = application.available_major(of) else { return };
        let mut wants = self.wants();
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
                    subscribers.send_modify(|clients: &mut Vec<ClientId>| {
                        if subscribed {
                            clients.push(client);
                        } else if let Some(at) = clients.iter().position(|known| *known == client) {
                            clients.swap_remove(at);
                        }
                    });
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
