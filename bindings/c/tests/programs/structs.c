// SPDX-License-Identifier: MIT OR Apache-2.0

/* The functions of ringback.h by themselves: layout, checks, counts, null. */
#include "check.h"

#include <pthread.h>
#include <ringback.h>

RB_CALLBACK_TYPE(OnBool, (void *context, bool value, int32_t *out, rb_error_t *error));

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(rb_callback_t) == 40 && sizeof(OnBool) == 40, "size");
_Static_assert(offsetof(rb_callback_t, size) == 0 && offsetof(OnBool, size) == 0, "size");
_Static_assert(offsetof(rb_callback_t, abi) == 4 && offsetof(OnBool, abi) == 4, "abi");
_Static_assert(offsetof(rb_callback_t, call) == 8 && offsetof(OnBool, call) == 8, "call");
_Static_assert(offsetof(rb_callback_t, context) == 16 && offsetof(OnBool, context) == 16, "context");
_Static_assert(offsetof(rb_callback_t, retain) == 24 && offsetof(OnBool, retain) == 24, "retain");
_Static_assert(offsetof(rb_callback_t, release) == 32 && offsetof(OnBool, release) == 32, "release");
_Static_assert(sizeof(rb_error_t) == 32 && offsetof(rb_error_t, text) == 0, "error");
_Static_assert(offsetof(rb_error_t, length) == 8 && offsetof(rb_error_t, owner) == 16, "error");
_Static_assert(offsetof(rb_error_t, release) == 24, "error");
_Static_assert(sizeof(rb_token_t) == 24 && offsetof(rb_token_t, context) == 0, "token");
_Static_assert(offsetof(rb_token_t, retain) == 8 && offsetof(rb_token_t, release) == 16, "token");
_Static_assert(sizeof(rb_task_t) == 24 && offsetof(rb_task_t, context) == 0, "task");
_Static_assert(offsetof(rb_task_t, cancel) == 8 && offsetof(rb_task_t, release) == 16, "task");
#endif
_Static_assert(sizeof(rb_status_t) == 4 && (rb_status_t)-1 < 0, "status");
_Static_assert(sizeof(bool) == 1, "bool");

static int drops;
static void count_drop(void *state) {
    CHECK(state);
    drops++;
}

static rb_status_t answer(void *context, bool value, int32_t *out, rb_error_t *error) {
    if (!value) return rb_error_set(error, "closed");
    *out = *(int32_t *)context;
    return RB_OK;
}

static OnBool counted(int32_t value) {
    int32_t *state = rb_counted_new(sizeof *state, count_drop);
    OnBool on = RB_CALLBACK_INIT(answer, state, rb_counted_retain, rb_counted_release);
    *state = value;
    return on;
}

static void the_library_speaks_the_headers_version(void) {
    CHECK(RB_ABI_MATCHES());
    CHECK(rb_abi_version() == 1);
}

static void null_is_accepted_everywhere(void) {
    CHECK(rb_callback_check(NULL, NULL) == RB_INVALID);
    CHECK(rb_callback_retain(NULL) == RB_INVALID);
    rb_callback_release(NULL);
    rb_counted_retain(NULL);
    rb_counted_release(NULL);
    CHECK(rb_error_set(NULL, NULL) == RB_ERROR);
    CHECK(rb_error_set(NULL, "lost") == RB_ERROR);
    CHECK(rb_error_set_n(NULL, "lost", 4) == RB_ERROR);
    rb_error_clear(NULL);
    rb_task_cancel(NULL);
    rb_task_release(NULL);
    CHECK(rb_token_retain(NULL) == RB_INVALID);
    rb_token_release(NULL);

    rb_error_t error = {0};
    CHECK(rb_error_set(&error, NULL) == RB_ERROR && !error.text && !error.release);
    CHECK(rb_error_set_n(&error, NULL, 7) == RB_ERROR && !error.text);
    rb_task_t task = {0};
    rb_task_cancel(&task);
    rb_task_release(&task);
    rb_callback_t empty = {0};
    rb_callback_release(&empty);
    CHECK(rb_callback_retain(&empty) == RB_INVALID);
}

static void refused(rb_callback_t callback, const char *text) {
    rb_error_t error = {0};
    CHECK(rb_callback_check(&callback, &error) == RB_INVALID);
    CHECK_TEXT(error, text);
    rb_error_clear(&error);
    CHECK(rb_callback_check(&callback, NULL) == RB_INVALID);
    CHECK(rb_callback_retain(&callback) == RB_INVALID);
}

static void must_not_run(void *context) {
    (void)context;
    CHECK(!"called through a struct that cannot be trusted");
}

static void malformed_structs_are_refused_with_the_remedy(void) {
    const rb_callback_t good = RB_CALLBACK_INIT((void (*)(void))answer, NULL, must_not_run, must_not_run);
    rb_error_t error = {0};
    rb_callback_t bad = {0};
    CHECK(rb_callback_check(&good, &error) == RB_OK && !error.text);
    refused(bad, "the callback is empty (all zero): fill it with RB_CALLBACK_INIT");
    bad = good, bad.size = 24;
    refused(bad, "the callback's size is wrong: set it to sizeof(rb_callback_t)");
    rb_callback_release(&bad);
    CHECK(!bad.call && !bad.release);
    bad = good, bad.abi = 0xdeadbeef;
    refused(bad, "the callback's abi is not RB_ABI: rebuild both sides with one ringback.h");
    rb_callback_release(&bad);
    bad = good, bad.call = NULL;
    refused(bad, "the callback's call is null: there is nothing to call");
    bad = good, bad.release = NULL;
    refused(bad, "the callback has retain but no release: it would never be freed");
    memset(&bad, 0xa5, sizeof bad);
    refused(bad, "the callback's size is wrong: set it to sizeof(rb_callback_t)");
    rb_callback_release(&bad);

    CHECK(rb_callback_check(NULL, &error) == RB_INVALID);
    CHECK_TEXT(error, "the callback is a null pointer");
    rb_error_clear(&error);
}

static void references_are_counted_and_released_once(void) {
    drops = 0;
    OnBool on = counted(7), copy;
    CHECK(RB_CHECK(&on, NULL) == RB_OK);
    CHECK(RB_RETAIN(&on) == RB_OK);
    copy = on;
    int32_t out = 0;
    CHECK(copy.call(copy.context, true, &out, NULL) == RB_OK && out == 7);
    RB_RELEASE(&on);
    CHECK(drops == 0 && !on.release && !on.context);
    RB_RELEASE(&on); /* emptied: does nothing */
    CHECK(drops == 0);
    RB_RELEASE(&copy);
    CHECK(drops == 1);
}

static void one_owner_cannot_be_copied_and_a_static_one_always(void) {
    drops = 0;
    OnBool on = counted(1);
    on.retain = NULL;
    CHECK(RB_CHECK(&on, NULL) == RB_OK);
    CHECK(RB_RETAIN(&on) == RB_INVALID);
    RB_RELEASE(&on);
    CHECK(drops == 1);

    static int32_t state = 3;
    OnBool fixed = RB_CALLBACK_INIT(answer, &state, NULL, NULL);
    CHECK(RB_RETAIN(&fixed) == RB_OK);
    RB_RELEASE(&fixed);
}

static void errors_carry_a_copy_of_the_text(void) {
    OnBool on = counted(1);
    rb_error_t error = {0};
    int32_t out = -5;
    CHECK(on.call(on.context, false, &out, &error) == RB_ERROR && out == -5);
    CHECK_TEXT(error, "closed");
    CHECK(on.call(on.context, false, &out, NULL) == RB_ERROR);
    rb_error_set(&error, "another"); /* frees the first */
    CHECK_TEXT(error, "another");
    rb_error_set_n(&error, error.text + 2, 3); /* out of itself */
    CHECK_TEXT(error, "oth");
    CHECK(error.text[error.length] == 0);
    rb_error_clear(&error);
    CHECK(!error.text && !error.release && !error.owner && error.length == 0);
    rb_error_clear(&error);
    memset(&error, 0xa5, sizeof error); /* only the text of an empty error is looked at */
    error.text = NULL;
    rb_error_clear(&error);
    rb_error_set(&error, "");
    CHECK(error.text && error.length == 0);
    rb_error_clear(&error);
    RB_RELEASE(&on);
}

static void every_status_has_a_name(void) {
    const char *names[] = {"RB_OK",        "RB_ERROR",   "RB_PANIC",
                           "RB_CANCELLED", "RB_INVALID", "RB_REJECTED"};
    for (int status = RB_OK; status <= RB_REJECTED; status++)
        CHECK(strcmp(rb_status_name(status), names[status]) == 0);
    CHECK(strcmp(rb_status_name(-1), "RB_UNKNOWN") == 0);
    CHECK(strcmp(rb_status_name(6), "RB_UNKNOWN") == 0);
}

static int cancels, releases;
static void cancel(void *context) { cancels += *(int *)context; }
static void release_task(void *context) { releases += *(int *)context; }

static void a_task_is_cancelled_often_and_released_once(void) {
    int one = 1;
    rb_task_t task = {&one, cancel, release_task};
    rb_task_cancel(&task);
    rb_task_cancel(&task);
    rb_task_release(&task);
    rb_task_release(&task);
    rb_task_cancel(&task);
    CHECK(cancels == 2 && releases == 1);
}

static void a_token_is_retained_and_released(void) {
    drops = 0;
    rb_token_t token = {rb_counted_new(0, count_drop), rb_counted_retain, rb_counted_release};
    CHECK(rb_token_retain(&token) == RB_OK);
    rb_token_t copy = token;
    rb_token_release(&token);
    rb_token_release(&token);
    CHECK(drops == 0);
    copy.retain = NULL;
    CHECK(rb_token_retain(&copy) == RB_INVALID);
    rb_token_release(&copy);
    CHECK(drops == 1);
}

static void *churn(void *state) {
    for (int i = 0; i < 100000; i++) {
        rb_counted_retain(state);
        rb_counted_release(state);
    }
    rb_counted_release(state);
    return NULL;
}

static void counted_state_is_aligned_zeroed_and_dropped_once_by_many_threads(void) {
    drops = 0;
    unsigned char *state = rb_counted_new(64, count_drop);
    CHECK((uintptr_t)state % _Alignof(max_align_t) == 0);
    for (int i = 0; i < 64; i++) CHECK(state[i] == 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        rb_counted_retain(state);
        pthread_create(&threads[i], NULL, churn, state);
    }
    rb_counted_release(state);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    CHECK(drops == 1);
    rb_counted_release(rb_counted_new(0, NULL));
    CHECK(!rb_counted_new(SIZE_MAX, count_drop));
    CHECK(!rb_counted_new(SIZE_MAX / 2, count_drop));
}

int main(void) {
    CHECK_BEGIN();
    RUN(the_library_speaks_the_headers_version);
    RUN(null_is_accepted_everywhere);
    RUN(malformed_structs_are_refused_with_the_remedy);
    RUN(references_are_counted_and_released_once);
    RUN(one_owner_cannot_be_copied_and_a_static_one_always);
    RUN(errors_carry_a_copy_of_the_text);
    RUN(every_status_has_a_name);
    RUN(a_task_is_cancelled_often_and_released_once);
    RUN(a_token_is_retained_and_released);
    RUN(counted_state_is_aligned_zeroed_and_dropped_once_by_many_threads);
    return CHECK_END();
}
