// SPDX-License-Identifier: MIT OR Apache-2.0

// The native contestant: straight on vsomeip, what a C++ programmer would write. The jobs are those
// of `contestant.rs`, with the same pacing, the same payload and the same counting.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <vsomeip/vsomeip.hpp>

namespace v3 = vsomeip_v3;

extern "C" {
struct Job {
    std::uint32_t scenario; // 0 flood, 1 paced, 2 latency, 3 rpc, 4 publisher only
    std::uint64_t size, count, rate, in_flight;
};
struct Outcome {
    std::uint64_t received, out_of_order, nanoseconds, cpu_nanoseconds, p50, p99;
};
}

namespace {

constexpr v3::service_t service = 0x1111;
constexpr v3::instance_t instance = 1;
constexpr v3::method_t event_id = 0x8001, method_id = 7;
constexpr std::uint64_t hello = ~0ull;

std::uint64_t now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return std::uint64_t(time.tv_sec) * 1000000000ull + std::uint64_t(time.tv_nsec);
}

std::uint64_t cpu() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    auto of = [](timeval time) { return std::uint64_t(time.tv_sec) * 1000000000ull + std::uint64_t(time.tv_usec) * 1000; };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

void sleep_until(std::uint64_t at) {
    timespec time{time_t(at / 1000000000), long(at % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) != 0) {}
}

class App {
public:
    explicit App(const char* name) : app_(v3::runtime::get()->create_application(name)) {
        app_->init();
        app_->register_state_handler([this](v3::state_type_e state) {
            std::lock_guard<std::mutex> lock(mutex_);
            registered_ = state == v3::state_type_e::ST_REGISTERED;
            changed_.notify_all();
        });
        thread_ = std::thread([this] { app_->start(); });
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return registered_; });
    }
    ~App() {
        app_->clear_all_handler();
        app_->stop();
        thread_.join();
    }
    v3::application* operator->() { return app_.get(); }

private:
    std::shared_ptr<v3::application> app_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool registered_ = false;
    std::thread thread_;
};

std::shared_ptr<v3::payload> payload(std::uint64_t sequence, std::uint64_t size) {
    std::vector<v3::byte_t> bytes(size);
    std::memcpy(bytes.data(), &sequence, 8);
    if (size >= 16) {
        const std::uint64_t time = now();
        std::memcpy(bytes.data() + 8, &time, 8);
    }
    return v3::runtime::get()->create_payload(std::move(bytes));
}

struct Receiver {
    std::atomic<std::uint64_t> received{0}, out_of_order{0}, next{0}, last_at{0};
    std::atomic<bool> greeted{false};
    bool keep_latencies = false;
    std::vector<std::uint64_t> latencies;

    void take(const v3::payload& payload) {
        std::uint64_t sequence, time = 0;
        std::memcpy(&sequence, payload.get_data(), 8);
        if (sequence == hello) {
            greeted = true;
            return;
        }
        if (keep_latencies) {
            std::memcpy(&time, payload.get_data() + 8, 8);
            latencies.push_back(now() - time);
        }
        std::uint64_t before = next.load();
        while (before < sequence + 1 && !next.compare_exchange_weak(before, sequence + 1)) {}
        if (before > sequence) out_of_order++;
        last_at = now();
        received++;
    }
};

// The event before its service: who sees the service may subscribe at once.
void offer(App& app, v3::major_version_t major = 1) {
    app->offer_event(service, instance, event_id, std::set<v3::eventgroup_t>{event_id});
    app->offer_service(service, instance, major, 0);
}

void wait_for_service(App& app) {
    while (!app->is_available(service, instance)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

void send_all(App& app, const Job& job, const std::atomic<std::uint64_t>* received) {
    const std::uint64_t start = now();
    for (std::uint64_t number = 0; number < job.count; ++number) {
        if (job.scenario == 2) {
            sleep_until(start + number * 1000000000ull / job.rate);
        } else if (job.rate != 0 && number % (job.rate / 1000) == 0) {
            sleep_until(start + number * 1000000000ull / job.rate);
        }
        while (received && number - received->load() >= job.in_flight) std::this_thread::yield();
        app->notify(service, instance, event_id, payload(number, job.size), true);
    }
}

void publish(const Job& job, Outcome& outcome) {
    App subscriber("sub"), publisher("pub");
    Receiver receiver;
    receiver.keep_latencies = job.scenario == 2;
    receiver.latencies.reserve(job.count);
    subscriber->register_message_handler(service, instance, event_id,
                                         [&](const std::shared_ptr<v3::message>& message) {
                                             receiver.take(*message->get_payload());
                                         });
    subscriber->request_service(service, instance, 1);
    subscriber->request_event(service, instance, event_id, std::set<v3::eventgroup_t>{event_id});
    offer(publisher);
    // vsomeip takes a subscription before that as well, but forgets one that meets the offer, now and then.
    wait_for_service(subscriber);
    subscriber->subscribe(service, instance, event_id, 1);
    while (!receiver.greeted) {
        publisher->notify(service, instance, event_id, payload(hello, job.size), true);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::uint64_t start = now(), used = cpu();
    send_all(publisher, job, &receiver.received);
    std::uint64_t before = 0;
    for (int idle = 0; receiver.received < job.count && idle < 300; ++idle) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        if (receiver.received != before) idle = 0;
        before = receiver.received;
    }
    outcome.cpu_nanoseconds = cpu() - used;
    outcome.received = receiver.received;
    outcome.out_of_order = receiver.out_of_order;
    outcome.nanoseconds = receiver.last_at - start;
    auto& latencies = receiver.latencies;
    std::sort(latencies.begin(), latencies.end());
    if (!latencies.empty()) {
        outcome.p50 = latencies[latencies.size() / 2];
        outcome.p99 = latencies[latencies.size() * 99 / 100];
    }
}

void call(const Job& job, Outcome& outcome) {
    App server("pub"), client("sub");
    server->register_message_handler(service, instance, method_id,
                                     [&](const std::shared_ptr<v3::message>& request) {
                                         auto response = v3::runtime::get()->create_response(request);
                                         response->set_payload(request->get_payload());
                                         server->send(response);
                                     });
    server->offer_service(service, instance, 1, 0);
    std::mutex mutex;
    std::condition_variable answered;
    std::uint64_t responses = 0;
    client->register_message_handler(service, instance, method_id,
                                     [&](const std::shared_ptr<v3::message>&) {
                                         std::lock_guard<std::mutex> lock(mutex);
                                         responses++;
                                         answered.notify_one();
                                     });
    client->request_service(service, instance, 1);
    wait_for_service(client);
    auto once = [&] {
        auto request = v3::runtime::get()->create_request(true);
        request->set_service(service);
        request->set_instance(instance);
        request->set_method(method_id);
        request->set_interface_version(1);
        request->set_payload(payload(1, job.size));
        std::unique_lock<std::mutex> lock(mutex);
        const std::uint64_t before = responses;
        lock.unlock();
        client->send(request);
        lock.lock();
        answered.wait(lock, [&] { return responses != before; });
    };
    for (int warm = 0; warm < 100; ++warm) once();
    const std::uint64_t start = now(), used = cpu();
    for (std::uint64_t number = 0; number < job.count; ++number) once();
    outcome.nanoseconds = now() - start;
    outcome.cpu_nanoseconds = cpu() - used;
    outcome.received = job.count;
}

// Waits for a subscriber of another process, greets, and sends.
void only_publish(const Job& job) {
    App publisher("pub");
    std::atomic<int> subscribers{0};
    publisher->register_subscription_handler(
        service, instance, event_id,
        v3::subscription_handler_sec_t([&](v3::client_t, const vsomeip_sec_client_t*, const std::string&, bool subscribed) {
            subscribers += subscribed ? 1 : 0;
            return true;
        }));
    offer(publisher, v3::ANY_MAJOR); // the peer subscribes to no other
    while (subscribers == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    send_all(publisher, job, nullptr);
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
}

} // namespace

extern "C" void native_run(const Job* job, Outcome* outcome) {
    switch (job->scenario) {
    case 3: call(*job, *outcome); break;
    case 4: only_publish(*job); break;
    default: publish(*job, *outcome);
    }
}
