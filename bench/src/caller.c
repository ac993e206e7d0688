// SPDX-License-Identifier: MIT OR Apache-2.0

/* The foreign side: C that calls a function pointer of which it knows nothing, as often as asked,
 * and adds up what it answers so that the caller can check every call. */
#include <stdint.h>

uint64_t bench_call(uint64_t (*function)(uint64_t), uint64_t calls) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < calls; i++) {
        sum += function(i);
    }
    return sum;
}

uint64_t bench_call_with_data(uint64_t (*function)(void *, uint64_t), void *data, uint64_t calls) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < calls; i++) {
        sum += function(data, i);
    }
    return sum;
}
