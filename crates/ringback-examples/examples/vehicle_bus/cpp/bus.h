// SPDX-License-Identifier: MIT OR Apache-2.0

/*
 * The bus for callers that know no C++: a handler is a bare function pointer, without user data.
 *
 * Every function may be called from any thread, but bus_drain and bus_destroy not from inside a
 * handler, which they would wait for. No function throws; running out of memory ends the process.
 */
#ifndef VEHICLE_BUS_BUS_H
#define VEHICLE_BUS_BUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define BUS_NOEXCEPT noexcept
extern "C" {
#else
#define BUS_NOEXCEPT
#endif

/* What a handler is registered for. */
typedef struct bus_key {
    uint16_t service;
    uint16_t instance;
    uint16_t method;
} bus_key;

/* What a handler gets. */
typedef struct bus_message {
    bus_key key;       /* whom it was sent to */
    uint64_t sequence; /* counts the messages of this bus, from 0 */
    uint64_t sent;     /* when it was given to bus_send, by bus_now */
} bus_message;

/*
 * Called for each message, on a dispatcher thread of the bus; by several at once if it has several.
 * The message is the bus's and valid until the handler returns.
 */
typedef void (*bus_handler)(const bus_message *message);

/* What happened since bus_create. sent = unhandled + dispatched, once drained. */
typedef struct bus_counts {
    uint64_t sent;        /* messages given to bus_send */
    uint64_t unhandled;   /* .. for whose key no handler was registered at that moment */
    uint64_t dispatched;  /* handler calls that have returned */
    uint64_t nanoseconds; /* that the dispatcher threads spent in those calls, by the clock */
} bus_counts;

/* A running bus. */
typedef struct bus_application bus_application;

/*
 * Starts a bus with so many dispatcher threads, at least one. The caller owns it and gives it to
 * bus_destroy. NULL if a thread cannot be started.
 */
bus_application *bus_create(size_t dispatchers) BUS_NOEXCEPT;

/*
 * Ends the dispatcher threads and frees the bus; what is still queued is dropped. Returns when no
 * handler is running and no copy of one is left. NULL is ignored.
 */
void bus_destroy(bus_application *bus) BUS_NOEXCEPT;

/* Calls `handler` for messages sent to `key` from now on, in place of an earlier handler. */
void bus_register(bus_application *bus, bus_key key, bus_handler handler) BUS_NOEXCEPT;

/*
 * Sends no more messages to the handler of `key`. Does not wait: copies of the handler that are
 * queued with earlier messages still run.
 */
void bus_unregister(bus_application *bus, bus_key key) BUS_NOEXCEPT;

/* Queues a message, together with a copy of the handler that is registered for `key` now. */
void bus_send(bus_application *bus, bus_key key) BUS_NOEXCEPT;

/* Waits until all that was queued before has been dispatched, and its handlers destroyed. */
void bus_drain(bus_application *bus) BUS_NOEXCEPT;

/* Keeps messages queued until bus_release; a dispatcher finishes what it has already taken. */
void bus_hold(bus_application *bus) BUS_NOEXCEPT;

/* Ends bus_hold. */
void bus_release(bus_application *bus) BUS_NOEXCEPT;

/* Nanoseconds on a clock that never goes back, since some moment in the past. */
uint64_t bus_now(void) BUS_NOEXCEPT;

/* Reads the counters. */
bus_counts bus_count(bus_application *bus) BUS_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
