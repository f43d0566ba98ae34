#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *format(const char *form, ...) {
    va_list arguments, again;
    va_start(arguments, form);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, form, arguments);
    char *text = malloc(length + 1);
    vsnprintf(text, length + 1, form, again);
    va_end(again);
    va_end(arguments);
    return text;
}

char *copy(const void *bytes, size_t length) {
    char *text = malloc(length + 1);
    if (length > 0) memcpy(text, bytes, length);
    text[length] = 0;
    return text;
}

static const char *skip_space(const char *at) {
    return at + strspn(at, " \t\r\n");
}

/// From the opening quote to behind the closing one.
static const char *skip_string(const char *at) {
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1]) at++;
    }
    return *at ? at + 1 : at;
}

static const char *skip_value(const char *at) {
    if (*at == '"') return skip_string(at);
    if (*at != '{' && *at != '[') return at + strcspn(at, ",]} \t\r\n");
    int depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') depth--;
        at++;
    } while (*at && depth > 0);
    return at;
}

static const char *find(const char *json, const char *key) {
    const char *at = skip_space(json);
    if (*at != '{') return NULL;
    at = skip_space(at + 1);
    while (*at == '"') {
        const char *end = skip_string(at);
        bool found = strlen(key) + 2 == (size_t)(end - at) && strncmp(at + 1, key, strlen(key)) == 0;
        at = skip_space(end);
        if (*at != ':') return NULL;
        at = skip_space(at + 1);
        if (found) return at;
        at = skip_space(skip_value(at));
        if (*at != ',') return NULL;
        at = skip_space(at + 1);
    }
    return NULL;
}

static unsigned hex4(const char *at) {
    char digits[5] = {0};
    strncpy(digits, at, 4);
    return strtoul(digits, NULL, 16);
}

static char *put_utf8(char *to, unsigned code) {
    if (code < 0x80) {
        *to++ = code;
    } else if (code < 0x800) {
        *to++ = 0xc0 | code >> 6;
        *to++ = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
        *to++ = 0xe0 | code >> 12;
        *to++ = 0x80 | (code >> 6 & 0x3f);
        *to++ = 0x80 | (code & 0x3f);
    } else {
        *to++ = 0xf0 | code >> 18;
        *to++ = 0x80 | (code >> 12 & 0x3f);
        *to++ = 0x80 | (code >> 6 & 0x3f);
        *to++ = 0x80 | (code & 0x3f);
    }
    return to;
}

static char *decode(const char *at, const char *end) {
    char *text = malloc(end - at + 1), *to = text;
    for (at++; at < end - 1; at++) {
        if (*at != '\\') {
            *to++ = *at;
            continue;
        }
        const char *escape = strchr("b\bf\fn\nr\rt\t", *++at);
        if (*at == 'u' && end - at > 5) {
            unsigned code = hex4(at + 1);
            at += 4;
            // The upper half of a character beyond 16 bits: the lower one follows.
            if (code >= 0xd800 && code < 0xdc00 && end - at > 7 && at[1] == '\\' && at[2] == 'u') {
                code = 0x10000 + ((code - 0xd800) << 10) + (hex4(at + 3) - 0xdc00);
                at += 6;
            }
            to = put_utf8(to, code);
        } else {
            *to++ = escape ? escape[1] : *at;
        }
    }
    *to = 0;
    return text;
}

static char *value_of(const char *at) {
    if (!at || strncmp(at, "null", 4) == 0) return NULL;
    const char *end = skip_value(at);
    return *at == '"' ? decode(at, end) : copy(at, end - at);
}

char *json_get(const char *json, const char *key) {
    return value_of(find(json, key));
}

char *json_item(const char *json, size_t index) {
    const char *at = skip_space(json);
    if (*at != '[') return NULL;
    at = skip_space(at + 1);
    while (*at && *at != ']') {
        if (index-- == 0) return value_of(at);
        at = skip_space(skip_value(at));
        if (*at != ',') return NULL;
        at = skip_space(at + 1);
    }
    return NULL;
}

bool json_number(const char *json, const char *key, double *number) {
    const char *at = find(json, key);
    if (!at || !(*at == '-' || (*at >= '0' && *at <= '9'))) return false;
    *number = strtod(at, NULL);
    return true;
}

char *json_quote(const char *text) {
    if (!text) return format("null");
    char *quoted = malloc(6 * strlen(text) + 3), *to = quoted;
    *to++ = '"';
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at < 0x20) {
            to += sprintf(to, "\\u%04x", *at);
            continue;
        }
        if (*at == '"' || *at == '\\') *to++ = '\\';
        *to++ = *at;
    }
    *to++ = '"';
    *to = 0;
    return quoted;
}
