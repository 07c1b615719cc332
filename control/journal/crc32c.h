// SPDX-License-Identifier: Apache-2.0
// CRC32C (Castagnoli, reflected polynomial 0x82F63B78, as in RFC 3720 appendix B.4), by the CPU's own instruction.
#ifndef CROSSWIRE_CONTROL_JOURNAL_CRC32C_H
#define CROSSWIRE_CONTROL_JOURNAL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// CRC of `size` bytes, going on from `crc`: the CRC of what came before, 0 at the beginning.
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);

#endif
