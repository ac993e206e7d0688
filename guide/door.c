// SPDX-License-Identifier: MIT OR Apache-2.0

/* The guide's chapter on C. */
#include <assert.h>
#include <string.h>
/* ANCHOR: callback */
#include <ringback.h>
#include <stdio.h>

#include "door.h"

typedef struct {
    int told;
} Hinges;

static rb_status_t on_door(void *context, bool open, int32_t *out, rb_error_t *error) {
    Hinges *hinges = context;
    if (!open && hinges->told == 0) return rb_error_set(error, "it was never open"); /* an error in Rust, with its text */
    *out = ++hinges->told;
    return RB_OK;
}

static void drop_hinges(void *context) {
    printf("dropped after %d\n", ((Hinges *)context)->told); /* frees what the struct owns; its memory is freed for it */
}
/* ANCHOR_END: callback */

int main(void) {
    /* ANCHOR: give */
    Hinges *hinges = rb_counted_new(sizeof *hinges, drop_hinges); /* all zero, one reference */
    if (!hinges) return 1;
    OnDoor on = RB_CALLBACK_INIT(on_door, hinges, rb_counted_retain, rb_counted_release);
    door_watch(on); /* gives the reference away */
    /* ANCHOR_END: give */
    assert(door_turn(false) == -1);
    assert(door_turn(true) == 1 && door_turn(false) == 2);
    door_leave();

    /* ANCHOR: take */
    OnDoor rust = door_answerer(); /* a Rust closure, yours */
    rb_error_t error = {0};
    int32_t answer = 0;
    if (rust.call(rust.context, true, &answer, &error) != RB_OK) { /* a panic arrives as RB_PANIC */
        fprintf(stderr, "%.*s\n", (int)error.length, error.text ? error.text : "");
        rb_error_clear(&error);
    }
    RB_RELEASE(&rust);
    /* ANCHOR_END: take */
    printf("Rust answered %d\n", (int)answer);
    return 0;
}
