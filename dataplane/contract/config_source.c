// SPDX-License-Identifier: Apache-2.0
#include "contract/config_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *config_shown(const char *text, size_t size)
{
    enum { SHOWN = 48, BUFFERS = 4 };
    static _Thread_local char buffers[BUFFERS][SHOWN + 4];
    static _Thread_local unsigned next;
    char *out = buffers[next++ % BUFFERS];
    size_t used = 0;
    for (; used < size && used < SHOWN; used++)
        out[used] = text[used] >= ' ' && text[used] <= '~' ? text[used] : '?';
    strcpy(out + used, used < size ? "..." : "");
    return out;
}

static bool write_error(struct config_source *source, yaml_mark_t mark, const char *format, va_list list)
{
    int used =
        snprintf(source->error, source->error_size, "%s:%zu:%zu: ", source->path, mark.line + 1, mark.column + 1);
    if (used > 0 && (size_t)used < source->error_size)
        vsnprintf(source->error + used, source->error_size - (size_t)used, format, list);
    return false;
}

bool config_fail(struct config_source *source, const yaml_node_t *node, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    write_error(source, node ? node->start_mark : (yaml_mark_t){0}, format, list);
    va_end(list);
    return false;
}

bool config_fail_at(struct config_source *source, enum config_section section, uint32_t index, const char *key,
                    const char *format, ...)
{
    yaml_node_t *mapping = config_source_section(source, section, index);
    yaml_node_t *value = mapping && key ? config_source_value(source, mapping, key) : NULL;
    const yaml_node_t *node = value ? value : mapping ? mapping : source->root;
    va_list list;
    va_start(list, format);
    write_error(source, node->start_mark, format, list);
    va_end(list);
    return false;
}

static bool fail_file(struct config_source *source, const char *what)
{
    snprintf(source->error, source->error_size, "%s: %s", source->path, what);
    return false;
}

// Regular files and pipes alike, never more than CONFIG_BYTES_MAX.
static bool read_all(struct config_source *source)
{
    char what[256];
    int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        snprintf(what, sizeof what, "can not be opened: %s; name an existing file that this user may read",
                 strerror(errno));
        return fail_file(source, what);
    }
    size_t room = 0;
    ssize_t got = 1;
    while (got > 0 && source->size <= CONFIG_BYTES_MAX) {
        if (source->size == room) {
            room = room ? 4 * room : 16384;
            unsigned char *grown = realloc(source->text, room);
            if (!grown) {
                got = -1;
                break;
            }
            source->text = grown;
        }
        got = read(fd, source->text + source->size, room - source->size);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            source->size += (size_t)got;
    }
    int saved = errno;
    close(fd);
    if (got < 0) {
        snprintf(what, sizeof what, "can not be read: %s; name a readable file", strerror(saved));
        return fail_file(source, what);
    }
    if (source->size > CONFIG_BYTES_MAX)
        return fail_file(source, "is larger than 4 MiB; name a configuration file");
    return true;
}

static bool fail_parse(struct config_source *source, const yaml_parser_t *parser)
{
    yaml_mark_t mark = parser->problem_mark;
    if (parser->error == YAML_READER_ERROR) { // which knows an offset only
        mark = (yaml_mark_t){0};
        for (size_t i = 0; i < parser->problem_offset && i < source->size; i++) {
            mark.column++;
            if (source->text[i] == '\n')
                mark = (yaml_mark_t){.line = mark.line + 1};
        }
    }
    snprintf(source->error, source->error_size, "%s:%zu:%zu: %s%s%s; make it a YAML document of `key: value` lines",
             source->path, mark.line + 1, mark.column + 1, parser->problem ? parser->problem : "not YAML",
             parser->context ? " " : "", parser->context ? parser->context : "");
    return false;
}

// The first document with a root mapping; anything after it is refused.
static bool load_document(struct config_source *source, yaml_parser_t *parser)
{
    if (!yaml_parser_load(parser, &source->document))
        return fail_parse(source, parser);
    source->has_document = true;
    source->root = yaml_document_get_root_node(&source->document);
    if (!source->root)
        return config_fail(source, NULL, "the file is empty; write `key: value` lines, as the examples have them");
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second))
        return fail_parse(source, parser);
    const yaml_node_t *more = yaml_document_get_root_node(&second);
    if (more)
        config_fail(source, more, "a second document; keep everything in one, without `---`");
    yaml_document_delete(&second);
    return more == NULL;
}

bool config_source_open(struct config_source *source, const char *path, char *error, size_t error_size)
{
    *source = (struct config_source){.path = path, .error = error, .error_size = error_size};
    if (!read_all(source))
        return false;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return fail_file(source, "can not be parsed: out of memory; free some");
    yaml_parser_set_input_string(&parser, source->text, source->size);
    bool loaded = load_document(source, &parser);
    yaml_parser_delete(&parser);
    return loaded;
}

void config_source_close(struct config_source *source)
{
    if (source->has_document)
        yaml_document_delete(&source->document);
    free(source->text);
    source->has_document = false;
    source->text = NULL;
}

yaml_node_t *config_source_value(struct config_source *source, const yaml_node_t *mapping, const char *key)
{
    if (mapping->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
         pair++) {
        const yaml_node_t *name = yaml_document_get_node(&source->document, pair->key);
        if (name->type == YAML_SCALAR_NODE && name->data.scalar.length == strlen(key) &&
            memcmp(name->data.scalar.value, key, strlen(key)) == 0)
            return yaml_document_get_node(&source->document, pair->value);
    }
    return NULL;
}

yaml_node_t *config_source_section(struct config_source *source, enum config_section section, uint32_t index)
{
    const struct config_section_info info = config_section_info(section);
    if (info.form == FORM_TOP)
        return source->root;
    yaml_node_t *value = config_source_value(source, source->root, info.name);
    if (!value || info.form == FORM_MAP)
        return value;
    if (value->type != YAML_SEQUENCE_NODE)
        return NULL;
    const yaml_node_item_t *items = value->data.sequence.items.start;
    if (index >= (size_t)(value->data.sequence.items.top - items))
        return value;
    return yaml_document_get_node(&source->document, items[index]);
}
