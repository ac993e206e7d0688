// SPDX-License-Identifier: MIT OR Apache-2.0

//! `UTransport` on vsomeip.

use crate::mapping::{DEFAULT_INSTANCE, Outgoing, check_time_to_live, outgoing, target_of};
use crate::routing::{Entry, Filter, Kind, Pattern, Registered};
use crate::vsomeip::{ANY_MAJOR, Ending, Error, Header, Target, after, lock};
use crate::{InstanceId, ServiceId, Stats, UPTransportVsomeip};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use up_rust::{
    LocalUriProvider, UAttributes, UCode, UListener, UMessage, UStatus, UTransport, UUri,
    verify_filter_criteria,
};

/// See [`Application::on_subscribed`](crate::vsomeip::Application::on_subscribed).
const SETTLED: Duration = Duration::from_millis(20);

pub(crate) fn status(code: UCode, text: impl Into<String>) -> UStatus {
    UStatus::fail_with_code(code, text)
}

/// The event that a topic is, and its version.
///
/// # Errors
/// INVALID_ARGUMENT where it is none.
pub(crate) fn event_of(topic: &UUri) -> Result<(Target, u8), UStatus> {
    topic.verify_event().map_err(|error| {
        let text = format!("{} cannot be a topic: {error}", topic.to_uri(true));
        status(UCode::INVALID_ARGUMENT, text)
    })?;
    target_of(topic)
}

fn vsomeip_failed(error: Error) -> UStatus {
    let code = match error {
        Error::Stopped(_) => UCode::UNAVAILABLE,
        _ => UCode::INTERNAL,
    };
    status(code, error.to_string())
}

#[async_trait]
impl UTransport for UPTransportVsomeip {
    async fn send(&self, message: UMessage) -> Result<(), UStatus> {
        let UMessage { mut attributes, payload, .. } = message;
        let attributes = attributes
            .take()
            .ok_or_else(|| status(UCode::INVALID_ARGUMENT, "the message has no attributes"))?;
        let payload = payload.unwrap_or_default();
        check_length(payload.len())?;
        let mapped = outgoing(&attributes, self.options.reliable)?;
        self.check_source(&attributes)?;
        let application = self.application();
        match mapped {
            Outgoing::Event { event, major, to } => {
                self.offered(event, major).await?;
                match to {
                    None => application.notify(event, payload),
                    Some(client) => {
                        let topic = self.topics().get(event);
                        let to = topic.map_or(client, |topic| topic.addressee(client));
                        application.notify_one(event, to, payload)
                    }
                }
                .map_err(vsomeip_failed)
            }
            Outgoing::Request(header) => {
                self.available(header, &attributes).await?;
                self.send_request(header, attributes, &payload).await
            }
            Outgoing::Response { request, message_type, return_code } => {
                let request = lock(&self.core.received).take(&request)?;
                let response = Header {
                    message_type: message_type as u8,
                    return_code: return_code as u8,
                    ..request
                };
                application.send(&response, &payload).map(drop).map_err(vsomeip_failed)
            }
        }
    }

    async fn register_listener(
        &self,
        source_filter: &UUri,
        sink_filter: Option<&UUri>,
        listener: Arc<dyn UListener>,
    ) -> Result<(), UStatus> {
        verify_filter_criteria(source_filter, sink_filter)?;
        let filter = Filter::new(source_filter, sink_filter);
        let _change = lock(&self.changes);
        let open = |filter, listener| {
            let panicked = Arc::clone(&self.core.counters.panicked);
            Entry::new(filter, listener, self.options.capacity, self.overflow, panicked)
        };
        match self.core.table.insert(filter, Arc::clone(&listener), self.limits, open)? {
            Registered::Already => Ok(()),
            Registered::New(entry, task) => {
                self.running().lanes.spawn(task);
                let asked = self.ask(&entry.filter);
                if asked.is_err() && self.core.table.remove(&entry.filter, &listener).is_some() {
                    entry.close();
                }
                asked.map_err(vsomeip_failed)
            }
        }
    }

    async fn unregister_listener(
        &self,
        source_filter: &UUri,
        sink_filter: Option<&UUri>,
        listener: Arc<dyn UListener>,
    ) -> Result<(), UStatus> {
        self.retire_listener(source_filter, sink_filter, listener).map(Ending::detach)
    }

    async fn receive(&self, _source: &UUri, _sink: Option<&UUri>) -> Result<UMessage, UStatus> {
        let text = "vsomeip delivers messages to listeners only: use register_listener";
        Err(status(UCode::UNIMPLEMENTED, text))
    }
}

impl UPTransportVsomeip {
    /// As `unregister_listener`, and tells when the listener is gone: await the [`Ending`], or wait
    /// with a time-out, until no call is inside, none can begin, and the listener is dropped.
    ///
    /// When this returns, no call of the listener begins any more, whatever is still queued here or
    /// in vsomeip. A call that is inside runs to its end.
    ///
    /// # Errors
    /// NOT_FOUND where the listener is not registered with these filters; INVALID_ARGUMENT where it
    /// could not be.
    pub fn retire_listener(
        &self,
        source_filter: &UUri,
        sink_filter: Option<&UUri>,
        listener: Arc<dyn UListener>,
    ) -> Result<Ending, UStatus> {
        verify_filter_criteria(source_filter, sink_filter)?;
        let filter = Filter::new(source_filter, sink_filter);
        let _change = lock(&self.changes);
        let Some(entry) = self.core.table.remove(&filter, &listener) else {
            return Err(status(
                UCode::NOT_FOUND,
                "the listener is not registered with these filters",
            ));
        };
        entry.close();
        if let Err(error) = self.no_longer_ask(&filter) {
            log::warn!("vsomeip, while a listener was unregistered: {error}");
        }
        Ok(Ending::new(Arc::clone(&entry.gate)))
    }

    /// What became of the messages for one listener; `None` where it is not registered so.
    pub fn listener_counts(
        &self,
        source_filter: &UUri,
        sink_filter: Option<&UUri>,
        listener: &Arc<dyn UListener>,
    ) -> Option<crate::Counts> {
        let filter = Filter::new(source_filter, sink_filter);
        Some(self.core.table.find(&filter, listener)?.counts())
    }

    /// What became of the messages of this transport so far.
    pub fn stats(&self) -> Stats {
        self.core.stats()
    }

    /// Offers a topic now, and waits as its first message would, which then waits for nobody: until
    /// [`Options::first_send_subscribers`](crate::Options::first_send_subscribers) are attached, or
    /// [`Options::first_send_wait`](crate::Options::first_send_wait) is over.
    ///
    /// # Errors
    /// INVALID_ARGUMENT where the topic is no SOME/IP event.
    pub async fn declare_topic(&self, topic: &UUri) -> Result<(), UStatus> {
        let (event, major) = event_of(topic)?;
        self.offered(event, major).await
    }

    /// How many subscribers have come since a topic was declared here. All subscribers on one other
    /// machine count as one, or as one more each time that machine subscribes anew without having ended
    /// what it had; those that came between its service and itself are not counted.
    pub fn subscribers(&self, topic: &UUri) -> usize {
        let event = target_of(topic).map(|(event, _)| event);
        event.ok().and_then(|event| self.topics().get(event)).map_or(0, |topic| topic.subscribers())
    }

    /// The client id that the routing manager gave this transport.
    pub fn client_id(&self) -> crate::ClientId {
        self.application().client()
    }

    /// The wire names no authority, so one that is not ours would go unseen.
    fn check_source(&self, attributes: &UAttributes) -> Result<(), UStatus> {
        let local = &self.core.identity.local;
        let ours = |source: &UUri| {
            source.authority_name == local.authority_name
                && source.ue_id == local.ue_id
                && source.ue_version_major == local.ue_version_major
        };
        let source = attributes.source.get_or_default();
        if !self.options.check_source {
            let authority = &source.authority_name;
            if !authority.is_empty() && *authority != local.authority_name {
                self.told.call_once(|| {
                    log::warn!(
                        "a message of {} goes out as one of {:?}, since SOME/IP carries no authority; \
                         said once. Options::check_source(true) refuses those",
                        source.to_uri(true),
                        local.authority_name
                    );
                });
            }
            return Ok(());
        }
        if ours(source) {
            return Ok(());
        }
        let text = format!(
            "the message's source is not {}: send it by its own transport, or leave check_source off \
             to send for others",
            local.to_uri(true)
        );
        Err(status(UCode::PERMISSION_DENIED, text))
    }

    /// The event is offered, and those who wait for it are attached. The wait is a task of our own
    /// runtime, so that any executor can run this.
    async fn offered(&self, event: Target, major: u8) -> Result<(), UStatus> {
        if self.topics().get(event).is_none() {
            self.declare(&[(event, major)])?;
        }
        let Some(topic) = self.topics().get(event) else { return Ok(()) };
        if !topic.is_ready() {
            let (enough, at_most) =
                (self.options.first_send_subscribers, self.options.first_send_wait);
            // A routing manager attaches those on other machines a moment after it has said so.
            let settle = if self.application().is_routing() { SETTLED } else { Duration::ZERO };
            let _ = self.running().runtime.spawn(topic.ready(enough, at_most, settle)).await;
        }
        Ok(())
    }

    /// Offers events, those that are not.
    pub(crate) fn declare(&self, events: &[(Target, u8)]) -> Result<(), UStatus> {
        let any = self.options.offer_any_version.then_some(ANY_MAJOR);
        self.topics().declare(self.application(), events, any).map_err(vsomeip_failed)
    }

    /// The service of a request can be used, while the request's time to live lasts.
    async fn available(&self, header: Header, request: &UAttributes) -> Result<(), UStatus> {
        let Header { service, instance, method, .. } = header;
        let of = Target { service, instance, method };
        let application = Arc::clone(self.application());
        self.topics().request_once(&application, of).map_err(vsomeip_failed)?;
        if application.is_available(of) {
            return Ok(());
        }
        let limit = self.options.availability_wait.min(remaining(request));
        // Whoever has given up waiting does not keep the application.
        let application = Arc::downgrade(&application);
        let waited = self.running().runtime.spawn(async move {
            let until = after(Instant::now(), limit);
            while Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(2)).await;
                if application.upgrade().is_none_or(|application| application.is_available(of)) {
                    return;
                }
            }
        });
        let _ = waited.await;
        check_time_to_live(request)?;
        if self.application().is_available(of) {
            return Ok(());
        }
        let text = format!(
            "nobody offers service {service:04x}.{instance:04x}, {limit:?} waited; start its server, or \
             raise Options::availability_wait"
        );
        Err(status(UCode::UNAVAILABLE, text))
    }

    async fn send_request(
        &self,
        header: Header,
        attributes: UAttributes,
        payload: &[u8],
    ) -> Result<(), UStatus> {
        let begun = lock(&self.core.sent).begin()?;
        let until = after(Instant::now(), remaining(&attributes));
        let id = match self.application().send(&header, payload) {
            Ok(id) => id,
            Err(error) => {
                lock(&self.core.sent).not_sent();
                return Err(vsomeip_failed(error));
            }
        };
        let (answer, displaced) = lock(&self.core.sent).sent(begun, id, attributes, until);
        self.core.alarm.no_later_than(until);
        if let Some(old) = displaced {
            self.answer(old, UCode::ABORTED, None).await;
        }
        if let Some((request, (code, payload))) = answer {
            self.answer(request, code, payload).await;
        }
        Ok(())
    }

    /// Delivers the response to a request of ours. Where mailboxes are waited for, a thread of our
    /// runtime does that, and not the caller's executor.
    async fn answer(&self, request: UAttributes, code: UCode, payload: Option<Bytes>) {
        let core = Arc::clone(&self.core);
        let answer = move || core.answer(request, code, payload, core.until());
        if self.core.hold.is_none() {
            return answer();
        }
        let _ = self.running().runtime.spawn_blocking(answer).await;
    }

    /// Tells vsomeip what a listener needs. A filter with a wildcard for the service hears what
    /// comes for other reasons; for requests, this host's services in the configuration in force.
    fn ask(&self, filter: &Filter) -> crate::vsomeip::Result<()> {
        let (application, topics) = (self.application(), self.topics());
        self.say_what_is_not_asked_for(filter);
        self.for_each_need(filter, |need| match need {
            Need::Event(event) => topics.subscribe(application, event),
            Need::Service(of) => topics.request(application, of),
            Need::Offer(of, major) => topics.offer(application, of, major).map(drop),
        })
    }

    /// vsomeip subscribes to one event of one instance at a time.
    fn say_what_is_not_asked_for(&self, filter: &Filter) {
        let service = filter.service();
        let level = match filter.kind() {
            Kind::Events => log::Level::Warn,
            Kind::Answers => log::Level::Debug, // responses come to whoever asks
            Kind::Requests | Kind::PointToPoint => return,
        };
        if service.target().is_none() {
            log::log!(
                level,
                "a filter with a wildcard for the service or the resource subscribes to nothing, and \
                 hears what comes for other reasons; register a listener for each topic"
            );
        } else if service.instance.is_none() {
            log::log!(
                level,
                "a filter with a wildcard for the instance subscribes to instance {DEFAULT_INSTANCE} \
                 only; register a listener for each instance"
            );
        }
    }

    fn no_longer_ask(&self, filter: &Filter) -> crate::vsomeip::Result<()> {
        let (application, topics) = (self.application(), self.topics());
        self.for_each_need(filter, |need| match need {
            Need::Event(event) => topics.unsubscribe(application, event),
            Need::Service(of) => topics.release(application, of),
            Need::Offer(of, _) => topics.stop_offer(application, of),
        })
    }

    /// The version that a filter names, or else this uEntity's own.
    fn major(&self, pattern: &Pattern) -> u8 {
        pattern.version.unwrap_or(self.core.identity.local.ue_version_major) as u8
    }

    fn for_each_need(
        &self,
        filter: &Filter,
        mut meet: impl FnMut(Need) -> crate::vsomeip::Result<()>,
    ) -> crate::vsomeip::Result<()> {
        let service = filter.service();
        let major = self.major(service);
        match (filter.kind(), service.target()) {
            (Kind::Events, Some(event)) => meet(Need::Event(event)),
            (Kind::Answers, Some(event)) if event.method >= 0x8000 => meet(Need::Event(event)),
            (Kind::Answers, Some(of)) => meet(Need::Service(of)),
            (Kind::Events | Kind::Answers, None) => Ok(()),
            (Kind::Requests | Kind::PointToPoint, _) => {
                self.served(service).into_iter().try_for_each(|(service, instance)| {
                    meet(Need::Offer(Target { service, instance, method: 0 }, major))
                })
            }
        }
    }

    /// The services that a pattern stands for: those of this host in the configuration that it matches,
    /// or else the one that it names.
    fn served(&self, pattern: &Pattern) -> Vec<(ServiceId, InstanceId)> {
        let matches = |(service, instance): &(ServiceId, InstanceId)| {
            pattern.service.is_none_or(|wanted| wanted == *service)
                && pattern.instance.is_none_or(|wanted| wanted == *instance)
        };
        let mut served: Vec<_> = self.services.iter().copied().filter(matches).collect();
        if let Some(service) = pattern.service
            && served.is_empty()
        {
            served.push((service, pattern.instance.unwrap_or(DEFAULT_INSTANCE)));
        }
        served
    }
}

/// SOME/IP's length counts 8 bytes of the header, too.
fn check_length(payload: usize) -> Result<(), UStatus> {
    if u32::try_from(payload).is_ok_and(|length| length <= u32::MAX - 8) {
        return Ok(());
    }
    let text =
        format!("a payload of {payload} bytes is too long for SOME/IP, whose length has 32 bits");
    Err(status(UCode::INVALID_ARGUMENT, text))
}

enum Need {
    Event(Target),
    Service(Target),
    Offer(Target, u8),
}

/// What is left of a request's time to live.
fn remaining(attributes: &UAttributes) -> Duration {
    let ttl = Duration::from_millis(u64::from(attributes.ttl.unwrap_or(0)));
    let created = attributes.id.get_time().map(Duration::from_millis).unwrap_or_default();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    ttl.saturating_sub(now.saturating_sub(created)).max(Duration::from_millis(1))
}

impl LocalUriProvider for UPTransportVsomeip {
    fn get_authority(&self) -> String {
        self.core.identity.local.authority_name.clone()
    }

    fn get_resource_uri(&self, resource_id: u16) -> UUri {
        let mut uri = self.core.identity.local.clone();
        uri.resource_id = u32::from(resource_id);
        uri
    }

    fn get_source_uri(&self) -> UUri {
        self.core.identity.local.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_a_length_that_someip_can_say() {
        let longest = u32::MAX as usize - 8;
        assert!(check_length(0).is_ok() && check_length(longest).is_ok());
        for length in [longest + 1, usize::MAX] {
            assert_eq!(check_length(length).unwrap_err().get_code(), UCode::INVALID_ARGUMENT);
        }
    }
}
