// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/journal/crc32c.h"

static uint32_t one_bit_at_a_time(uint32_t crc, const unsigned char *at, size_t size)
{
    crc = ~crc;
    while (size--) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

static void the_vectors_of_rfc_3720_hold(void **state)
{
    (void)state;
    unsigned char bytes[32];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x8A9136AA);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x62A8AB43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x46DD794E);
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283);
}

static void every_length_and_alignment_gives_what_the_slow_way_gives(void **state)
{
    (void)state;
    enum { SIZE = 3 * 4096 };
    unsigned char *bytes = malloc(SIZE + 8);
    srand(7);
    for (int i = 0; i < SIZE + 8; i++)
        bytes[i] = (unsigned char)rand();
    const size_t lengths[] = {0, 1, 7, 8, 9, 63, 4079, 4080, 4081, 4084, 4096, 8159, 8160, 8161, SIZE};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t from = 0; from < 8; from++)
            assert_int_equal(crc32c(0, bytes + from, lengths[i]), one_bit_at_a_time(0, bytes + from, lengths[i]));
    free(bytes);
}

static void pieces_give_the_crc_of_the_whole(void **state)
{
    (void)state;
    unsigned char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 31);
    uint32_t whole = crc32c(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut += 13)
        assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof bytes - cut), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_3720_hold),
        cmocka_unit_test(every_length_and_alignment_gives_what_the_slow_way_gives),
        cmocka_unit_test(pieces_give_the_crc_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
