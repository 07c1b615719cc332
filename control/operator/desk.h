// SPDX-License-Identifier: Apache-2.0
// A desk: a Unix stream socket RUN_DIRECTORY/INSTANCE.NAME.sock where people, by xwctl, ask control for something. One
// JSON object a line in, {"ask":"WHAT", ..}; one line out:
//
//   {"ok":true, ..}      {"ok":false,"exit":65,"error":"what is wrong: what to do"}
//
//   caller --line--> subject.read --> request --subject.go_on, again and again--> desk_answer or desk_refuse
//
// What may be asked is a table of subjects, a file each.
#ifndef CROSSWIRE_CONTROL_OPERATOR_DESK_H
#define CROSSWIRE_CONTROL_OPERATOR_DESK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "contract/config.h"
#include "control/breaker/breakers.h"
#include "control/journal/journal.h"
#include "control/limits/desk.h"
#include "control/recovery/outbound.h"
#include "control/recovery/recovery.h"
#include "control/risk/audit.h"
#include "control/risk/kills.h"
#include "control/risk/standing.h"

#define DESK_MS UINT64_C(1000000)

// What subjects work with. All of it outlives the desks; in some tests all but `config` is NULL.
struct desk_context {
    const struct config *config;
    struct outbound *outbound;
    const struct journal_writer *writer;
    struct kills *kills;
    struct standing *standing;
    struct audit *audit;
    struct breakers *breakers;
    struct limits_desk *limits;
    bool (*reload)(void *service, const char *by, char *text, size_t size); // false: refused, why is in `text`
    void *service;
};

struct desk;
struct caller;

// One request, from its line to its answer.
struct request {
    const struct desk_subject *subject; // NULL: free
    struct desk *desk;
    const struct desk_context *context;
    struct caller *caller; // NULL: has gone, the answer is for nobody
    char by[17];           // who asks, "" when he does not say
    void *state;           // the subject's own, zeroed when the request begins
    unsigned stage;        // 0 at first; the subject's own
    uint64_t deadline_ns;  // the subject's own
    uint64_t again_ns;     // no need to go on before this
};

struct desk_subject {
    const char *ask;
    size_t size; // of its state
    // Takes what the request says; returns NULL, or what is wrong with it: what to do.
    const char *(*read)(struct request *request, const json_t *root);
    // Goes on, bounded. `recovery` is the one of the running data plane when it is done, else NULL: then nothing can be
    // changed.
    void (*go_on)(struct request *request, struct recovery *recovery, uint64_t now_ns);
};

struct desk_options {
    const char *name;                           // of the socket
    const struct desk_subject *const *subjects; // what may be asked there, ended by NULL
    unsigned requests;                          // that may be under way at once, 1 .. DESK_CALLERS
    const char *group; // whose members may ask too; NULL or "": root and control's own user alone
};

enum { DESK_CALLERS = 8 };

// Makes the socket. NULL with one line in `error`.
struct desk *desk_new(const struct desk_context *context, const struct desk_options *options, char *error,
                      size_t error_size);

// Closes the connections and removes the socket.
void desk_free(struct desk *desk);

// Goes on with everything, bounded. Returns how much it did.
unsigned desk_poll(struct desk *desk, struct recovery *recovery, uint64_t now_ns);

// The answer: takes `root`. The request is over.
void desk_answer(struct request *request, json_t *root);

// The refusal, which is logged and noted for the audit. The request is over.
__attribute__((format(printf, 3, 4))) void desk_refuse(struct request *request, int exit_code, const char *format, ...);

// ---- helpers of subjects --------------------------------------------------------------------------------------------

// A member of one character; 0 for any other.
char desk_letter(const json_t *root, const char *key);

// A member that is a whole number of 1 .. most.
bool desk_number(const json_t *root, const char *key, json_int_t most, json_int_t *number);

// Who asks: 1 to 16 printable characters without blanks.
bool desk_by(const json_t *root, char by[17]);
#define DESK_BY_MISSING "who asks is not said: give --by NAME, 1 to 16 printable characters"

// Text that came from outside, at most 63 characters, without its padding; what JSON can not hold is shown as ?.
json_t *desk_text(const char *text, size_t size);

// Whether the day of every core of the bit set `cores` has ended.
bool desk_all_ended(const struct request *request, const struct recovery *recovery, uint32_t cores);

// Refuses, when the day of every core of the bit set `cores` has ended: nothing would come of it. `why` is what that
// means for the request: what to do.
bool desk_day_over(struct request *request, const struct recovery *recovery, uint32_t cores, const char *why);
#define DESK_DAY_OVER "nothing of it changes any more; ask again on the next trading date"

// Every core, as a bit set.
uint32_t desk_all_cores(const struct config *config);

// Whether all cores of the bit set `given_to` have taken what was given: it stands in the journal ring.
bool desk_taken(const struct request *request, const struct recovery *recovery, uint32_t given_to);

#endif
