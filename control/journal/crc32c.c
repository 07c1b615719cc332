// SPDX-License-Identifier: Apache-2.0
#include "control/journal/crc32c.h"

#include <immintrin.h>
#include <string.h>

// The crc32 instruction takes 3 cycles but one can start every cycle: three lanes side by side use it fully. LANE is a
// third of a journal block's covered bytes, so that a block is one round.
enum { LANE = 1360 };

// x^(8 * bytes - 33) mod P, reflected: what a carry-less multiplication needs to move a CRC past that many bytes. The
// 33 are the instruction's own x^32 in the reduction and the one bit that a reflected product lies lower.
#define PAST_ONE_LANE 0x3f70cc6fu
#define PAST_TWO_LANES 0x5aa1f3cfu

static inline uint64_t load64(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

// PCLMUL is not in x86-64-v3 by the letter, but in every CPU that has its AVX2.
__attribute__((target("pclmul,sse4.2"))) static inline uint32_t move(uint32_t crc, uint32_t past)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)crc), _mm_cvtsi32_si128((int)past), 0);
    return (uint32_t)_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("pclmul,sse4.2"))) static uint32_t three_lanes(uint32_t crc, const unsigned char *at)
{
    uint64_t a = crc, b = 0, c = 0;
    for (size_t i = 0; i < LANE; i += 8) {
        a = _mm_crc32_u64(a, load64(at + i));
        b = _mm_crc32_u64(b, load64(at + LANE + i));
        c = _mm_crc32_u64(c, load64(at + 2 * LANE + i));
    }
    return move((uint32_t)a, PAST_TWO_LANES) ^ move((uint32_t)b, PAST_ONE_LANE) ^ (uint32_t)c;
}

__attribute__((target("sse4.2"))) uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    crc = ~crc;
    for (; size >= 3 * (size_t)LANE; size -= 3 * (size_t)LANE, at += 3 * (size_t)LANE)
        crc = three_lanes(crc, at);
    for (; size >= 8; size -= 8, at += 8)
        crc = (uint32_t)_mm_crc32_u64(crc, load64(at));
    for (; size; size--, at++)
        crc = _mm_crc32_u8(crc, *at);
    return ~crc;
}
