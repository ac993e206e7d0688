// SPDX-License-Identifier: MIT OR Apache-2.0
#include "application.hpp"

#include "ringback-vsomeip/src/vsomeip/bridge.rs.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <ringback/token.hpp>
#include <set>
#include <stdexcept>
#include <vsomeip/vsomeip.hpp>

namespace ringback::vsomeip {

namespace v3 = vsomeip_v3;

namespace {

// Every copy of a handler (in vsomeip's map, in its queue, in a call that runs) holds a copy of the
// token. When the last one is destroyed Rust is told, once; perhaps inside vsomeip's mutexes, so Rust
// only notes it: no lock, no user code.
Token token_of(std::size_t context) {
    return Token(reinterpret_cast<void*>(context), nullptr, [](void* last) {
        handler_released(reinterpret_cast<std::size_t>(last));
    });
}

// A payload whose bytes are Rust's, without a copy: they live as long as anybody has it. vsomeip copies
// what it is to notify ("to avoid manipulation from the outside", event.cpp), so a payload with bytes of
// its own would be a second copy of them.
class Payload final : public v3::payload {
public:
    explicit Payload(rust::Box<Held> held) : held_(std::move(held)), bytes_(held_->bytes()) {}

    bool operator==(const v3::payload& other) override {
        return std::equal(bytes_.begin(), bytes_.end(), other.get_data(),
                          other.get_data() + other.get_length());
    }
    v3::byte_t* get_data() override { return const_cast<v3::byte_t*>(bytes_.data()); } // to be read
    const v3::byte_t* get_data() const override { return bytes_.data(); }
    v3::length_t get_length() const override { return static_cast<v3::length_t>(bytes_.size()); }

    void set_capacity(v3::length_t) override {}
    void set_data(const v3::byte_t*, v3::length_t) override { refuse(); }
    void set_data(const std::vector<v3::byte_t>&) override { refuse(); }
    void set_data(std::vector<v3::byte_t>&&) override { refuse(); }
    bool serialize(v3::serializer*) const override { return false; } // it has no public header
    bool deserialize(v3::deserializer*) override { return false; }

private:
    [[noreturn]] static void refuse() { throw std::logic_error("this payload cannot be changed"); }

    rust::Box<Held> held_;
    rust::Slice<const std::uint8_t> bytes_;
};

} // namespace

std::unique_ptr<Application> create(std::size_t get, const std::string& name,
                                    const std::string& configuration) {
    // vsomeip renames the second application of a name; between looking and creating nobody else may. One
    // of that name that is just ending is not found any more, but has not left its name yet.
    static std::mutex one_at_a_time;
    std::lock_guard<std::mutex> lock(one_at_a_time);
    auto runtime = reinterpret_cast<std::shared_ptr<v3::runtime> (*)()>(get)();
    if (runtime->get_application(name)) return nullptr;
    auto application = runtime->create_application(name, configuration);
    if (application->get_name() != name) return nullptr;
    return std::make_unique<Application>(std::move(runtime), std::move(application));
}

bool Application::init() const { return application_->init(); }
void Application::start() const { application_->start(); }
void Application::stop() const { application_->stop(); }
void Application::clear_all_handlers() const { application_->clear_all_handler(); }
std::uint16_t Application::client() const { return application_->get_client(); }
bool Application::is_routing() const { return application_->is_routing(); }

void Application::offer_service(Target of, std::uint8_t major, std::uint32_t minor) const {
    application_->offer_service(of.service, of.instance, major, minor);
}

void Application::stop_offer_service(Target of, std::uint8_t major, std::uint32_t minor) const {
    application_->stop_offer_service(of.service, of.instance, major, minor);
}

void Application::request_service(Target of, std::uint8_t major) const {
    application_->request_service(of.service, of.instance, major, v3::ANY_MINOR);
}

void Application::release_service(Target of) const {
    application_->release_service(of.service, of.instance);
}

bool Application::is_available(Target of) const {
    return application_->is_available(of.service, of.instance);
}

std::int32_t Application::available_major(Target of) const {
    v3::application::available_t available;
    if (!application_->are_available(available, of.service, of.instance)) return -1;
    for (const auto& instance : available[of.service]) {
        for (const auto& version : instance.second) return version.first;
    }
    return -1;
}

// An eventgroup per event, with the same number. ET_EVENT: equal payloads are sent all the same, and
// nothing is kept for late subscribers.
void Application::offer_event(Target of) const {
    application_->offer_event(of.service, of.instance, of.method, std::set<v3::eventgroup_t>{of.method},
                              v3::event_type_e::ET_EVENT);
}

void Application::stop_offer_event(Target of) const {
    application_->stop_offer_event(of.service, of.instance, of.method);
}

void Application::request_event(Target of) const {
    application_->request_event(of.service, of.instance, of.method,
                                std::set<v3::eventgroup_t>{of.method}, v3::event_type_e::ET_EVENT);
}

void Application::release_event(Target of) const {
    application_->release_event(of.service, of.instance, of.method);
}

void Application::subscribe(Target of, std::uint8_t major) const {
    application_->subscribe(of.service, of.instance, of.method, major, of.method);
}

void Application::unsubscribe(Target of) const {
    application_->unsubscribe(of.service, of.instance, of.method);
}

void Application::notify(Target of, rust::Box<Held> payload) const {
    application_->notify(of.service, of.instance, of.method,
                         std::make_shared<Payload>(std::move(payload)), true);
}

void Application::notify_one(Target of, std::uint16_t client, rust::Box<Held> payload) const {
    application_->notify_one(of.service, of.instance, of.method,
                             std::make_shared<Payload>(std::move(payload)), client, true);
}

std::uint32_t Application::send(const Header& header, rust::Slice<const std::uint8_t> payload) const {
    auto message = runtime_->create_message(header.reliable);
    message->set_service(header.service);
    message->set_instance(header.instance);
    message->set_method(header.method);
    message->set_client(header.client);
    message->set_session(header.session);
    message->set_interface_version(header.interface_version);
    message->set_message_type(static_cast<v3::message_type_e>(header.message_type));
    message->set_return_code(static_cast<v3::return_code_e>(header.return_code));
    if (!payload.empty()) {
        message->set_payload(
            runtime_->create_payload(payload.data(), static_cast<uint32_t>(payload.size())));
    }
    application_->send(message);
    return message->get_request(); // vsomeip numbers requests while it sends them
}

// vsomeip keeps and queues copies of these functions; each copy holds a copy of the token, so the
// context lives as long as any of them.
void Application::on_state(std::size_t context) const {
    application_->register_state_handler([context, token = token_of(context)](v3::state_type_e state) {
        handle_state(context, state == v3::state_type_e::ST_REGISTERED);
    });
}

void Application::unregister_on_state() const { application_->unregister_state_handler(); }

void Application::on_message(Target of, std::size_t context) const {
    application_->register_message_handler(
        of.service, of.instance, of.method,
        [context, token = token_of(context)](const std::shared_ptr<v3::message>& message) {
            handle_message(context, message);
        });
}

// The function is called by itself, without its context: that is what a bare pointer means.
void Application::on_message_pointer(Target of, std::size_t function, std::size_t context) const {
    auto call = reinterpret_cast<void (*)(const std::shared_ptr<v3::message>&)>(function);
    application_->register_message_handler(of.service, of.instance, of.method,
                                           function_with_token(call, token_of(context)));
}

void Application::unregister_on_message(Target of) const {
    application_->unregister_message_handler(of.service, of.instance, of.method);
}

void Application::on_availability(Target of, std::size_t context) const {
    application_->register_availability_handler(
        of.service, of.instance,
        v3::availability_handler_t(
            [context, token = token_of(context)](v3::service_t service, v3::instance_t instance,
                                                 bool available) {
                handle_availability(context, service, instance, available);
            }));
}

void Application::unregister_on_availability(Target of) const {
    application_->unregister_availability_handler(of.service, of.instance);
}

// The asynchronous form: vsomeip attaches the subscriber in `accept`, so after it what is notified
// reaches them. Of the other form nobody can tell when that is.
void Application::on_subscription(Target of, std::size_t context) const {
    application_->register_async_subscription_handler(
        of.service, of.instance, of.method,
        v3::async_subscription_handler_sec_t(
            [context, token = token_of(context)](v3::client_t client, const vsomeip_sec_client_t*,
                                                 const std::string&, bool subscribed,
                                                 const std::function<void(bool)>& accept) {
                const bool accepted = handle_subscription(context, client, subscribed);
                accept(accepted);
                if (accepted) handle_subscribed(context, client, subscribed);
            }));
}

void Application::unregister_on_subscription(Target of) const {
    application_->unregister_subscription_handler(of.service, of.instance, of.method);
}

void Application::on_subscription_status(Target of, std::size_t context) const {
    application_->register_subscription_status_handler(
        of.service, of.instance, of.method, of.method,
        [context, token = token_of(context)](v3::service_t, v3::instance_t, v3::eventgroup_t,
                                             v3::event_t, std::uint16_t error) {
            handle_subscription_status(context, error);
        },
        true);
}

void Application::unregister_on_subscription_status(Target of) const {
    application_->unregister_subscription_status_handler(of.service, of.instance, of.method, of.method);
}

Header header_of(const std::shared_ptr<RawMessage>& message) {
    Header header;
    header.service = message->get_service();
    header.instance = message->get_instance();
    header.method = message->get_method();
    header.client = message->get_client();
    header.session = message->get_session();
    header.interface_version = message->get_interface_version();
    header.message_type = static_cast<std::uint8_t>(message->get_message_type());
    header.return_code = static_cast<std::uint8_t>(message->get_return_code());
    header.reliable = message->is_reliable();
    header.initial = message->is_initial();
    return header;
}

std::shared_ptr<RawPayload> payload_of(const std::shared_ptr<RawMessage>& message) {
    return message->get_payload();
}

rust::Slice<const std::uint8_t> bytes_of(const RawPayload& payload) {
    return {payload.get_data(), payload.get_length()};
}

} // namespace ringback::vsomeip
