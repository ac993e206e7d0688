// SPDX-License-Identifier: MIT OR Apache-2.0

//! Source and sink filters, in SOME/IP's terms.

use crate::mapping::{DEFAULT_INSTANCE, service_of};
use crate::vsomeip::Target;
use up_rust::{UAttributes, UUri};

/// One address pattern. `None` matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pattern {
    pub(crate) authority: Option<String>,
    pub(crate) service: Option<u16>,
    pub(crate) instance: Option<u16>,
    pub(crate) version: Option<u32>,
    pub(crate) resource: Option<u16>,
}

impl Pattern {
    pub(crate) fn new(uri: &UUri) -> Self {
        let (service, instance) = service_of(uri.ue_id);
        let concrete = |id: u16| (id != 0xFFFF).then_some(id);
        Pattern {
            authority: (!uri.has_wildcard_authority() && !uri.authority_name.is_empty())
                .then(|| uri.authority_name.clone()),
            service: concrete(service),
            instance: concrete(instance),
            version: (!uri.has_wildcard_version()).then_some(uri.ue_version_major),
            resource: concrete(uri.resource_id as u16),
        }
    }

    /// Whether all but the authority matches.
    fn matches_entity(&self, uri: &UUri) -> bool {
        let (service, instance) = service_of(uri.ue_id);
        self.service.is_none_or(|wanted| wanted == service)
            && self.instance.is_none_or(|wanted| wanted == instance)
            && self.version.is_none_or(|wanted| wanted == uri.ue_version_major)
            && self.resource.is_none_or(|wanted| u32::from(wanted) == uri.resource_id)
    }

    fn matches(&self, uri: &UUri, local: &str) -> bool {
        // SOME/IP names no authorities: what a message from the network gets is the configured
        // remote one, though it may come from this host just as well.
        let authority = self
            .authority
            .as_ref()
            .is_none_or(|wanted| *wanted == uri.authority_name || wanted == local);
        authority && self.matches_entity(uri)
    }

    /// The service, instance (1 unless given) and method, where the pattern names a service and a
    /// resource.
    pub(crate) fn target(&self) -> Option<Target> {
        let (service, method) = (self.service?, self.resource?);
        Some(Target { service, instance: self.instance.unwrap_or(DEFAULT_INSTANCE), method })
    }
}

/// What a listener wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    pub(crate) source: Pattern,
    pub(crate) sink: Option<Pattern>,
}

/// Which messages a filter is after, by the resource ids in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Events of a topic, or of any.
    Events,
    /// Requests to a method.
    Requests,
    /// Responses and notifications to this uEntity.
    Answers,
    /// Everything that has a sink.
    PointToPoint,
}

impl Filter {
    pub(crate) fn new(source: &UUri, sink: Option<&UUri>) -> Self {
        Filter { source: Pattern::new(source), sink: sink.map(Pattern::new) }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.sink.as_ref().map(|sink| sink.resource) {
            None => Kind::Events,
            Some(Some(0)) => Kind::Answers,
            Some(Some(_)) => Kind::Requests,
            // Requests come from resource 0: a method answers, and an event notifies.
            Some(None) if self.source.resource.is_some_and(|id| id != 0) => Kind::Answers,
            Some(None) => Kind::PointToPoint,
        }
    }

    /// The pattern of the address that is the SOME/IP service.
    pub(crate) fn service(&self) -> &Pattern {
        match (&self.sink, self.kind()) {
            (Some(sink), Kind::Requests | Kind::PointToPoint) => sink,
            _ => &self.source,
        }
    }

    /// Where the filter can be looked up by service and method; `None` where it has a wildcard there.
    pub(crate) fn exact(&self) -> Option<(u16, u16)> {
        // Everything that has a sink may come from any service.
        if self.kind() == Kind::PointToPoint {
            return None;
        }
        let pattern = self.service();
        Some((pattern.service?, pattern.resource?))
    }

    /// The same filter for every version of what it is sent to.
    pub(crate) fn but_for_version(&self) -> Filter {
        let any_version = |pattern: &Pattern| Pattern { version: None, ..pattern.clone() };
        Filter { source: self.source.clone(), sink: self.sink.as_ref().map(any_version) }
    }

    /// Whether a message with these attributes passes, `local` being this uEntity's authority. An
    /// authority that only the other side has is matched by the local one, too.
    pub(crate) fn matches(&self, attributes: &UAttributes, local: &str) -> bool {
        let source = attributes.source.as_ref().is_some_and(|uri| self.source.matches(uri, local));
        source
            && match (&self.sink, attributes.sink.as_ref()) {
                (None, None) => true,
                (Some(pattern), Some(sink)) => pattern.matches(sink, &sink.authority_name),
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use up_rust::UMessageBuilder;

    fn uri(text: &str) -> UUri {
        text.parse().unwrap()
    }

    fn passes(source: &str, sink: Option<&str>, from: &str, to: Option<&str>) -> bool {
        let sink = sink.map(uri);
        let message = match to {
            None => UMessageBuilder::publish(uri(from)).build(),
            Some(to) if to.ends_with("/0") => {
                UMessageBuilder::response(uri(to), up_rust::UUID::build(), uri(from)).build()
            }
            Some(to) => UMessageBuilder::request(uri(to), uri(from), 1000).build(),
        };
        Filter::new(&uri(source), sink.as_ref()).matches(&message.unwrap().attributes, "me")
    }

    #[test]
    fn filters_are_checked_field_by_field() {
        let event = |filter: &str| passes(filter, None, "//far/1234/1/8001", None);
        assert!(event("//far/1234/1/8001"));
        assert!(event("//*/FFFFFFFF/FF/FFFF"));
        assert!(event("//*/1234/FF/8001"));
        assert!(event("//me/1234/1/8001"), "the far authority is not on the wire");
        assert!(event("/1234/1/8001"), "no authority is any");
        assert!(!event("//else/1234/1/8001"));
        assert!(!event("//far/1235/1/8001"));
        assert!(!event("//far/1234/2/8001"));
        assert!(!event("//far/1234/1/8002"));
        assert!(!event("//far/21234/1/8001"), "another instance");
        assert!(event("//far/11234/1/8001"), "instance 1 by its number");
    }

    #[test]
    fn a_sink_filter_wants_a_sink() {
        assert!(!passes(
            "//*/FFFFFFFF/FF/FFFF",
            Some("//*/FFFFFFFF/FF/FFFF"),
            "//far/1/1/8001",
            None
        ));
        assert!(!passes("//*/FFFFFFFF/FF/FFFF", None, "//far/9/1/0", Some("//me/1/1/7")));
        assert!(passes(
            "//*/FFFFFFFF/FF/FFFF",
            Some("//me/1/1/7"),
            "//far/9/1/0",
            Some("//me/1/1/7")
        ));
        assert!(passes("//far/1/1/7", Some("//me/9/1/0"), "//far/1/1/7", Some("//me/9/1/0")));
        assert!(!passes("//far/1/1/7", Some("//me/8/1/0"), "//far/1/1/7", Some("//me/9/1/0")));
    }

    #[test]
    fn exact_filters_can_be_looked_up() {
        let exact = |source: &str, sink: Option<&str>| {
            Filter::new(&uri(source), sink.map(uri).as_ref()).exact()
        };
        assert_eq!(exact("//far/1234/1/8001", None), Some((0x1234, 0x8001)));
        assert_eq!(exact("//far/1234/1/FFFF", None), None);
        assert_eq!(exact("//*/FFFFFFFF/FF/0", Some("//me/1234/1/7")), Some((0x1234, 7)));
        assert_eq!(exact("//far/1234/1/7", Some("//me/9/1/0")), Some((0x1234, 7)));
        assert_eq!(exact("//*/FFFFFFFF/FF/FFFF", Some("//me/9/1/0")), None);
        assert_eq!(exact("//far/1234/1/8001", Some("//me/9/1/FFFF")), Some((0x1234, 0x8001)));
        assert_eq!(exact("//far/1234/1/0", Some("//me/9/1/FFFF")), None);
        assert_eq!(exact("//*/FFFFFFFF/FF/FFFF", Some("//me/FFFFFFFF/FF/FFFF")), None);
    }
}
