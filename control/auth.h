// SPDX-License-Identifier: Apache-2.0
// Verifies logins against the configured password hashes. The slow hash runs on a thread of its own, so that neither
// the control loop nor the journal ever waits for it.
//
//   auth_submit --> rate limits --> queue --> worker: crypto_pwhash_str_verify --> auth_take
//                       +--------------------------- LOGIN_LIMITED ------------------->+
#ifndef CROSSWIRE_CONTROL_AUTH_H
#define CROSSWIRE_CONTROL_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "contract/region.h"
#include "control/breaker/breakers.h"

enum { AUTH_PASSWORD = 10, AUTH_QUEUE = 256 };

// One login attempt. `generation`, `gateway` and `position` are the caller's, to find the request again.
struct auth_ask {
    uint64_t generation;
    uint64_t position;
    uint16_t gateway;
    uint16_t session;
    uint32_t source_ip; // host order
    uint16_t source_port;
    char user[6];
    char password[AUTH_PASSWORD]; // as on the wire, blank padded
};

struct auth_answer {
    uint64_t generation;
    uint64_t position;
    uint16_t gateway;
    enum login_verdict verdict;
    enum login_why why; // where it is not right
    uint16_t session;
    uint32_t source_ip;
    uint16_t source_port;
    char user[6];
};

struct auth;

// Starts the worker (signals must be blocked already, so that it takes none). The configuration outlives it; the
// passwords' hashes are copied from it. NULL with errno.
struct auth *auth_new(const struct config *config);

// From the next verification on, session `session` is compared with `hash`. Returns whether that is another one.
bool auth_set_hash(struct auth *auth, uint32_t session, const char *hash);

// From now on a session whose port these breakers have closed has no login looked at, and they are told what comes of
// the others. They outlive `auth`.
void auth_watch(struct auth *auth, struct breakers *breakers);

// Stops the worker after the verification that it is in, and wipes what is queued.
void auth_free(struct auth *auth);

// Takes an attempt at monotonic time `now_ns`; false when the queue is full: leave the request where it is and come
// back.
bool auth_submit(struct auth *auth, const struct auth_ask *ask, uint64_t now_ns);

// Gives one finished attempt, false when there is none. Logs XW4001 or XW4002.
bool auth_take(struct auth *auth, struct auth_answer *answer);

// UFO compares passwords without case and pads them with blanks: the hash is over what this writes to `out`, upper
// case, no trailing blanks, terminated. `size` bytes at `password` are looked at, up to a NUL. Returns the length.
unsigned auth_canonical(const char *password, unsigned size, char out[AUTH_PASSWORD + 1]);

// A source's or a user's budget of attempts: `per_minute` at once, refilled evenly. Exposed for the test.
struct auth_bucket {
    uint64_t refilled_ns;
    uint64_t tokens_ns; // budget, as the time it takes to refill it
    uint32_t key;
};

// Takes one attempt out of the bucket; false when it is empty. per_minute 0: no limit.
bool auth_bucket_take(struct auth_bucket *bucket, uint32_t per_minute, uint64_t now_ns);

#endif
