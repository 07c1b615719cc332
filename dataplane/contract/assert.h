// SPDX-License-Identifier: Apache-2.0
// Assertions that stay on in production: a programmer's error stops the process before it can produce a wrong fill.
#ifndef CROSSWIRE_CONTRACT_ASSERT_H
#define CROSSWIRE_CONTRACT_ASSERT_H

// Prints file, line and expression to standard error and aborts. Never returns.
_Noreturn void xw_assert_failed(const char *expression, const char *file, int line);

#define xw_assert(expression) \
    (__builtin_expect(!!(expression), 1) ? (void)0 : xw_assert_failed(#expression, __FILE__, __LINE__))

// What the compiler may take for granted; nothing looks at it.
#define xw_known(expression) ((expression) ? (void)0 : __builtin_unreachable())

#endif
