// What the three of them share, behind their bindings and the types `string`, `bytes` and `field`. Nothing of WASI is used,
// which keeps the components small.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/// One text after the other, up to a NULL.
static char *joined(const char *first, ...) {
    __builtin_va_list parts;
    size_t length = 0;
    char *text = NULL;
    __builtin_va_start(parts, first);
    for (const char *part = first; part; part = __builtin_va_arg(parts, const char *)) {
        size_t more = strlen(part);
        text = realloc(text, length + more + 1);
        memcpy(text + length, part, more + 1);
        length += more;
    }
    __builtin_va_end(parts);
    return text;
}

#define join(...) joined(__VA_ARGS__, NULL)

static const char *number(uint32_t value) {
    char *text = malloc(11), *at = text + 10;
    for (*at = 0; at == text + 10 || value; value /= 10) *--at = '0' + value % 10;
    return at;
}

static const char *yes_or_no(bool is_so) {
    return is_so ? "true" : "false";
}

/// With a zero at its end.
static char *copied(const void *bytes, size_t length) {
    char *text = malloc(length + 1);
    if (length > 0) memcpy(text, bytes, length);
    text[length] = 0;
    return text;
}

/// The string that follows a name in a JSON text, the first `inner` behind `outer` where there are two.
static char *string_at(const char *json, const char *outer, const char *inner) {
    const char *at = strstr(json, join("\"", outer, "\":"));
    if (at && inner) at = strstr(at, join("\"", inner, "\":"));
    if (at) at = strchr(at + strlen(inner ? inner : outer) + 2, '"');
    return at ? copied(at + 1, strcspn(at + 1, "\"")) : join("");
}

/// Copied: what is answered is freed afterwards.
static string text(const char *text) {
    return (string){(uint8_t *)copied(text, strlen(text)), strlen(text)};
}

static bytes cursor(const char *text) {
    return (bytes){(uint8_t *)copied(text, strlen(text)), strlen(text)};
}

static char *read(const string *from) {
    return copied(from->ptr, from->len);
}

static field *fields(const char *key, const char *value) {
    field *one = malloc(sizeof *one);
    *one = (field){text(key), text(value)};
    return one;
}
