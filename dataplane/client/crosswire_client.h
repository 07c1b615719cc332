// SPDX-License-Identifier: Apache-2.0
// The Crosswire client library: everything a firm needs at its end of the wire, in plain C with nothing but libc.
//
//   your code <-> ouch.h (messages) <-> ufo_session.h (session) <-> datagrams <-> udp.h, or any transport of yours
//   your code <-  book.h (books)    <-  itch.h (messages)       <-  mold.h (stream)
//
// The library never waits, never reads a clock and never opens a socket behind your back: you give it datagrams and the
// time in nanoseconds (any monotonic clock), it gives you messages and datagrams. Only udp.h and book.h use the system
// at all. Nothing here is thread-safe; different objects may live on different threads. example_order.c shows all of it
// in a page.
#ifndef CROSSWIRE_CLIENT_CROSSWIRE_CLIENT_H
#define CROSSWIRE_CLIENT_CROSSWIRE_CLIENT_H

#include "client/book.h"
#include "client/drop_copy.h"
#include "client/itch.h"
#include "client/mold.h"
#include "client/ouch.h"
#include "client/udp.h"
#include "client/ufo_session.h"

#endif
