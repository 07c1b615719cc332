// SPDX-License-Identifier: Apache-2.0
#include "control/auth.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "contract/assert.h"
#include "contract/log.h"

#define MINUTE_NS UINT64_C(60000000000)

enum { SOURCE_SETS = 256, SOURCE_WAYS = 4, AUTH_HASH = 128 };

struct job {
    struct auth_ask ask;
    breaker_permit permit;
    enum login_verdict verdict;
    enum login_why why;
};

// A bounded queue of jobs; both queues together never hold more than AUTH_QUEUE.
struct queue {
    struct job *jobs[AUTH_QUEUE];
    unsigned first;
    unsigned count;
};

struct auth {
    const struct config *config;
    struct breakers *breakers; // NULL: none
    uint64_t now_ns;           // of the last submission
    pthread_t worker;
    pthread_mutex_t lock;
    pthread_cond_t work;
    bool stop;
    unsigned taken; // jobs between submit and take
    struct queue asked;
    struct queue done;
    struct auth_bucket *users;                            // one a stream
    char (*hashes)[AUTH_HASH];                            // one a stream
    struct auth_bucket sources[SOURCE_SETS][SOURCE_WAYS]; // a small cache of addresses, least recently used goes
};

static void queue_put(struct queue *queue, struct job *job)
{
    xw_assert(queue->count < AUTH_QUEUE);
    queue->jobs[(queue->first + queue->count++) % AUTH_QUEUE] = job;
}

static struct job *queue_get(struct queue *queue)
{
    if (queue->count == 0)
        return NULL;
    struct job *job = queue->jobs[queue->first];
    queue->first = (queue->first + 1) % AUTH_QUEUE;
    queue->count--;
    return job;
}

static void job_free(struct job *job)
{
    sodium_memzero(job, sizeof *job);
    free(job);
}

unsigned auth_canonical(const char *password, unsigned size, char out[AUTH_PASSWORD + 1])
{
    unsigned length = 0;
    while (length < size && length < AUTH_PASSWORD && password[length]) {
        out[length] = (char)toupper((unsigned char)password[length]);
        length++;
    }
    while (length > 0 && out[length - 1] == ' ')
        length--;
    memset(out + length, 0, AUTH_PASSWORD + 1 - length);
    return length;
}

bool auth_bucket_take(struct auth_bucket *bucket, uint32_t per_minute, uint64_t now_ns)
{
    if (per_minute == 0)
        return true;
    uint64_t cost = MINUTE_NS / per_minute;
    uint64_t full = cost * per_minute;
    if (bucket->refilled_ns == 0) {
        bucket->tokens_ns = full;
    } else {
        uint64_t gained = now_ns - bucket->refilled_ns;
        bucket->tokens_ns = gained >= full - bucket->tokens_ns ? full : bucket->tokens_ns + gained;
    }
    bucket->refilled_ns = now_ns ? now_ns : 1;
    if (bucket->tokens_ns < cost)
        return false;
    bucket->tokens_ns -= cost;
    return true;
}

static struct auth_bucket *source_bucket(struct auth *auth, uint32_t ip)
{
    struct auth_bucket *set = auth->sources[(ip * UINT32_C(2654435761)) >> 24 & (SOURCE_SETS - 1)];
    struct auth_bucket *oldest = set;
    for (unsigned way = 0; way < SOURCE_WAYS; way++) {
        if (set[way].key == ip && set[way].refilled_ns)
            return &set[way];
        if (set[way].refilled_ns < oldest->refilled_ns)
            oldest = &set[way];
    }
    *oldest = (struct auth_bucket){.key = ip};
    return oldest;
}

static bool within_rates(struct auth *auth, const struct auth_ask *ask, uint64_t now_ns)
{
    uint32_t rate = auth->config->control.login_attempts_per_minute;
    // The source first: who exceeds his own limit must not use up the user's.
    return auth_bucket_take(source_bucket(auth, ask->source_ip), rate, now_ns) &&
           (ask->session >= config_streams(auth->config) || auth_bucket_take(&auth->users[ask->session], rate, now_ns));
}

static bool names_session(const struct config *config, const struct auth_ask *ask)
{
    if (ask->session >= config_streams(config))
        return false;
    const struct config_stream stream = config_stream(config, ask->session);
    for (unsigned i = 0; i < sizeof ask->user; i++) {
        if (toupper((unsigned char)ask->user[i]) != stream.wire_user[i])
            return false;
    }
    return true;
}

static enum login_verdict verify(const struct config *config, const struct auth_ask *ask, const char *hash)
{
    if (!names_session(config, ask))
        return LOGIN_WRONG;
    char password[AUTH_PASSWORD + 1];
    unsigned length = auth_canonical(ask->password, sizeof ask->password, password);
    int result = crypto_pwhash_str_verify(hash, password, length);
    sodium_memzero(password, sizeof password);
    return result == 0 ? LOGIN_RIGHT : LOGIN_WRONG;
}

static void *worker_main(void *argument)
{
    struct auth *auth = argument;
    pthread_mutex_lock(&auth->lock);
    while (!auth->stop) {
        struct job *job = queue_get(&auth->asked);
        if (!job) {
            pthread_cond_wait(&auth->work, &auth->lock);
            continue;
        }
        char hash[AUTH_HASH] = "";
        if (job->ask.session < config_streams(auth->config))
            memcpy(hash, auth->hashes[job->ask.session], sizeof hash);
        pthread_mutex_unlock(&auth->lock);
        job->verdict = verify(auth->config, &job->ask, hash);
        sodium_memzero(job->ask.password, sizeof job->ask.password);
        pthread_mutex_lock(&auth->lock);
        queue_put(&auth->done, job);
    }
    pthread_mutex_unlock(&auth->lock);
    return NULL;
}

static void wipe(struct auth *auth)
{
    free(auth->users);
    free(auth->hashes);
    free(auth);
}

struct auth *auth_new(const struct config *config)
{
    if (sodium_init() < 0) {
        errno = ENOSYS;
        return NULL;
    }
    struct auth *auth = calloc(1, sizeof *auth);
    if (!auth)
        return NULL;
    auth->config = config;
    const size_t most = config_streams(config) ? config_streams(config) : 1;
    auth->users = calloc(most, sizeof *auth->users);
    auth->hashes = calloc(most, sizeof *auth->hashes);
    if (!auth->users || !auth->hashes) {
        wipe(auth);
        return NULL;
    }
    for (uint32_t i = 0; i < config_streams(config); i++)
        strncpy(auth->hashes[i], config_stream(config, i).password_hash, sizeof auth->hashes[i] - 1);
    pthread_mutex_init(&auth->lock, NULL);
    pthread_cond_init(&auth->work, NULL);
    int error = pthread_create(&auth->worker, NULL, worker_main, auth);
    if (error) {
        wipe(auth);
        errno = error;
        return NULL;
    }
    return auth;
}

void auth_watch(struct auth *auth, struct breakers *breakers)
{
    auth->breakers = breakers;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    pthread_mutex_lock(&auth->lock);
    auth->stop = true;
    pthread_cond_signal(&auth->work);
    pthread_mutex_unlock(&auth->lock);
    pthread_join(auth->worker, NULL);
    struct job *job;
    while ((job = queue_get(&auth->asked)) || (job = queue_get(&auth->done)))
        job_free(job);
    pthread_cond_destroy(&auth->work);
    pthread_mutex_destroy(&auth->lock);
    wipe(auth);
}

bool auth_set_hash(struct auth *auth, uint32_t session, const char *hash)
{
    xw_assert(session < config_streams(auth->config) && strlen(hash) < AUTH_HASH);
    pthread_mutex_lock(&auth->lock);
    bool differs = strcmp(auth->hashes[session], hash) != 0;
    strncpy(auth->hashes[session], hash, sizeof auth->hashes[session] - 1);
    pthread_mutex_unlock(&auth->lock);
    return differs;
}

bool auth_submit(struct auth *auth, const struct auth_ask *ask, uint64_t now_ns)
{
    if (auth->taken == AUTH_QUEUE)
        return false;
    struct job *job = malloc(sizeof *job);
    if (!job)
        return false;
    auth->taken++;
    job->ask = *ask;
    auth->now_ns = now_ns;
    bool limited = !within_rates(auth, ask, now_ns);
    job->why = limited ? LOGIN_WHY_RATE : LOGIN_WHY_CLOSED;
    // Last, because a permit must come back: what is within its rate is verified.
    job->permit = limited || !auth->breakers ? 0 : breakers_login(auth->breakers, ask->session, now_ns);
    limited |= auth->breakers && job->permit == 0;
    if (limited) {
        job->verdict = LOGIN_LIMITED;
        sodium_memzero(job->ask.password, sizeof job->ask.password);
    }
    pthread_mutex_lock(&auth->lock);
    queue_put(limited ? &auth->done : &auth->asked, job);
    pthread_cond_signal(&auth->work);
    pthread_mutex_unlock(&auth->lock);
    return true;
}

static void log_verdict(const struct auth_ask *ask, enum login_verdict verdict)
{
    char user[sizeof ask->user + 1] = {0};
    memcpy(user, ask->user, sizeof ask->user);
    for (size_t end = sizeof ask->user; end > 0 && user[end - 1] == ' '; end--)
        user[end - 1] = 0;
    uint32_t ip = ask->source_ip;
    log_event(verdict == LOGIN_RIGHT ? LOG_XW4001 : LOG_XW4002,
              "\"user\":%s,\"session\":%u,\"gateway\":%u,\"source\":\"%u.%u.%u.%u:%u\"", log_quote(user), ask->session,
              ask->gateway, ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, ask->source_port);
}

bool auth_take(struct auth *auth, struct auth_answer *answer)
{
    if (auth->taken == 0)
        return false;
    pthread_mutex_lock(&auth->lock);
    struct job *job = queue_get(&auth->done);
    pthread_mutex_unlock(&auth->lock);
    if (!job)
        return false;
    auth->taken--;
    if (job->verdict != LOGIN_LIMITED) // anybody can send those without end
        log_verdict(&job->ask, job->verdict);
    if (job->permit)
        breakers_login_done(auth->breakers, job->ask.session, job->permit, job->verdict == LOGIN_RIGHT, auth->now_ns);
    *answer = (struct auth_answer){.generation = job->ask.generation,
                                   .position = job->ask.position,
                                   .gateway = job->ask.gateway,
                                   .verdict = job->verdict,
                                   .why = job->verdict == LOGIN_LIMITED ? job->why : LOGIN_WHY_PASSWORD,
                                   .session = job->ask.session,
                                   .source_ip = job->ask.source_ip,
                                   .source_port = job->ask.source_port};
    memcpy(answer->user, job->ask.user, sizeof answer->user);
    job_free(job);
    return true;
}
