// SPDX-License-Identifier: Apache-2.0
// The floor program of the order streams as a shared object, so that bench_engine can take turns with it. Built by
// perf/bench/engine.sh with the flags of the streams' make.sh: the program itself stands beside the repository.
#define main floor_main
#include <floor.c>
#undef main

#define EXPORT __attribute__((visibility("default")))

static obs_hdr header;
static obs_rec *records;

// Maps the stream, all of it, as the program does. Returns false when it is none or does not suit it.
EXPORT bool floor_open(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    bool whole = fread(&header, sizeof header, 1, file) == 1 && header.magic == OBS_MAGIC;
    if (whole) {
        size_t bytes = header.n_rec * sizeof *records;
        records = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        whole = records != MAP_FAILED;
        if (whole) {
            madvise(records, bytes, MADV_HUGEPAGE);
            whole = fread(records, sizeof *records, header.n_rec, file) == header.n_rec;
        }
    }
    fclose(file);
    return whole && eng_init(&header) == 0;
}

static __attribute__((noinline)) void run(const obs_rec *record, const obs_rec *end)
{
    for (; record < end; record++)
        step(record);
}

// As after floor_open, and the prefill played.
EXPORT void floor_rewind(void)
{
    memset(B, 0, header.n_sym * sizeof *B);
    memset(S, 0, ((size_t)nslot + 1) * sizeof *S);
    memset(map, 0, (header.max_oid + 2) * sizeof *map);
    for (uint32_t i = 0; i < header.n_sym; i++)
        B[i].ba = NPX;
    freeh = 0;
    for (uint32_t i = nslot; i >= 1; i--) {
        S[i].next = freeh;
        freeh = i;
    }
    g_digest = OBS_H0;
    run(records, records + header.n_prefill);
}

EXPORT uint64_t floor_run(uint64_t first, uint64_t n)
{
    uint64_t start = __rdtsc();
    run(records + first, records + first + n);
    return __rdtsc() - start;
}

EXPORT uint64_t floor_digest(void)
{
    return g_digest;
}
