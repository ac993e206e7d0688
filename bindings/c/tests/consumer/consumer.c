// SPDX-License-Identifier: MIT OR Apache-2.0

/* Needs the header and the library. */
#include <ringback.h>

#include <stdio.h>

int main(void) {
    rb_error_t error = {0};
    if (!RB_ABI_MATCHES()) return 1;
    if (rb_callback_check(NULL, &error) != RB_INVALID || !error.text) return 2;
    rb_error_clear(&error);
    puts("consumed");
    return 0;
}
