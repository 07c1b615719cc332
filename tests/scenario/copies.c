// SPDX-License-Identifier: Apache-2.0
// For drop_copy.sh.
//   copies RECORD USER..  < LINES       LINES, of example_drop_copy with hex, must be numbered from 1, hold every
//   message
//                                       that xwreplay's RECORD has for these users, in order and byte for byte, and
//                                       nothing else. Says how many of each.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USERS_MAX = 8, MESSAGES = 200000, TEXT = 512 };

struct head { // as perf/record.c writes it
    char user[6];
    char session[10];
    uint32_t sequence;
    uint16_t size;
    uint16_t check;
};

struct told {
    char name[7];
    char *hex[MESSAGES]; // by sequence, NULL: not recorded
    uint32_t highest, copied;
};

static struct told users[USERS_MAX];
static int users_count;

static int fail(const char *what, const char *line)
{
    fprintf(stderr, "copies: %s: %.200s\n", what, line);
    return 1;
}

static struct told *find(const char *name, size_t size)
{
    for (int i = 0; i < users_count; i++)
        if (strlen(users[i].name) == size && memcmp(users[i].name, name, size) == 0)
            return &users[i];
    return NULL;
}

static bool read_record(const char *path)
{
    struct head head;
    unsigned char bytes[TEXT];
    FILE *file = fopen(path, "rb");
    while (file && fread(&head, sizeof head, 1, file) == 1) {
        if (head.size > sizeof bytes || fread(bytes, 1, head.size, file) != head.size || head.sequence >= MESSAGES)
            return false;
        size_t size = sizeof head.user;
        while (size > 0 && head.user[size - 1] == ' ')
            size--;
        struct told *told = find(head.user, size);
        if (!told || told->hex[head.sequence])
            continue;
        char *hex = told->hex[head.sequence] = malloc(2u * head.size + 1);
        for (unsigned i = 0; hex && i < head.size; i++)
            snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
        if (head.sequence > told->highest)
            told->highest = head.sequence;
    }
    return file && fclose(file) == 0;
}

int main(int argc, char **argv)
{
    char line[2048], name[16], account[32];
    unsigned long number, expected = 0;
    unsigned sequence;
    for (users_count = 0; users_count < argc - 2 && users_count < USERS_MAX; users_count++)
        snprintf(users[users_count].name, sizeof users[0].name, "%s", argv[users_count + 2]);
    if (argc < 3 || !read_record(argv[1]))
        return fail("no record", argc < 2 ? "" : argv[1]);
    while (fgets(line, sizeof line, stdin)) {
        const char *hex = strstr(line, " | ");
        line[strcspn(line, "\n")] = '\0';
        if (!hex || sscanf(line, "%lu %15s %31s %u", &number, name, account, &sequence) != 4)
            return fail("no copy", line);
        if (number != ++expected)
            return fail("not the next of the stream", line);
        struct told *told = find(name, strlen(name));
        if (!told)
            return fail("of somebody else", line);
        if (sequence != ++told->copied)
            return fail("not the next of its session", line);
        if (sequence >= MESSAGES || !told->hex[sequence] || strcmp(told->hex[sequence], hex + 3) != 0)
            return fail("not what the session was told", line);
    }
    for (int i = 0; i < users_count; i++) {
        printf("%s: told %u, copied %u\n", users[i].name, users[i].highest, users[i].copied);
        if (users[i].highest == 0 || users[i].highest != users[i].copied)
            return fail("not copied whole", users[i].name);
    }
    return 0;
}
