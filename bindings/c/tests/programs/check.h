// SPDX-License-Identifier: MIT OR Apache-2.0

/* Checks for test programs in C and C++: each failure is reported with its file and line. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check_failures, check_tests;

#define CHECK(condition)                                                                           \
    ((condition) ? (void)0                                                                         \
                 : (void)(check_failures++,                                                        \
                          fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition)))

/* Whether a received error has this text. */
#define CHECK_TEXT(error, expected)                                                                \
    (CHECK((error).text && (error).length == strlen(expected)),                                    \
     CHECK((error).text && memcmp((error).text, expected, (error).length) == 0))

#define RUN(test) (check_tests++, test())

/* What hangs is ended: the only limit on time in these tests. */
#define CHECK_BEGIN() alarm(300)

/* The result of `main`. */
#define CHECK_END()                                                                                \
    (printf("%s: %d tests, %d failed checks\n", __FILE__, check_tests, check_failures),            \
     check_failures || !check_tests)

#endif
