// SPDX-License-Identifier: Apache-2.0
// Big-endian loads and stores at any alignment, the byte order of every protocol that Crosswire speaks.
#ifndef CROSSWIRE_CONTRACT_WIRE_H
#define CROSSWIRE_CONTRACT_WIRE_H

#include <stdint.h>
#include <string.h>

static inline uint16_t get_be16(const void *at)
{
    uint16_t raw;
    memcpy(&raw, at, sizeof raw);
    return __builtin_bswap16(raw);
}

static inline uint32_t get_be32(const void *at)
{
    uint32_t raw;
    memcpy(&raw, at, sizeof raw);
    return __builtin_bswap32(raw);
}

static inline uint64_t get_be64(const void *at)
{
    uint64_t raw;
    memcpy(&raw, at, sizeof raw);
    return __builtin_bswap64(raw);
}

// Six bytes, as in the timestamp of every ITCH message.
static inline uint64_t get_be48(const void *at)
{
    const uint8_t *byte = at;
    return (uint64_t)get_be16(byte) << 32 | get_be32(byte + 2);
}

static inline void put_be16(void *at, uint16_t value)
{
    uint16_t raw = __builtin_bswap16(value);
    memcpy(at, &raw, sizeof raw);
}

static inline void put_be32(void *at, uint32_t value)
{
    uint32_t raw = __builtin_bswap32(value);
    memcpy(at, &raw, sizeof raw);
}

static inline void put_be64(void *at, uint64_t value)
{
    uint64_t raw = __builtin_bswap64(value);
    memcpy(at, &raw, sizeof raw);
}

// The low six bytes of value.
static inline void put_be48(void *at, uint64_t value)
{
    uint8_t *byte = at;
    put_be16(byte, (uint16_t)(value >> 32));
    put_be32(byte + 2, (uint32_t)value);
}

#endif
