/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the guide says that headers declare: as C, which takes a declaration twice where both say the same.
   ci/libraries.sh compiles it. */
#include <event2/event.h>

/* ANCHOR: log */
typedef void (*event_log_cb)(int severity, const char *msg);
void event_set_log_callback(event_log_cb cb);
/* ANCHOR_END: log */
