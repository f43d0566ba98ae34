// Text and JSON, as far as a small plugin needs them. What is returned comes from malloc.
#pragma once

#include <stdbool.h>
#include <stddef.h>

char *format(const char *form, ...);

/// With a zero at its end.
char *copy(const void *bytes, size_t length);

/// The value of a key of an object: a string decoded, all else as JSON text. NULL where there is none, and for null.
char *json_get(const char *json, const char *key);

/// An item of an array, likewise. NULL behind its end.
char *json_item(const char *json, size_t index);

/// Whether the value of the key is a number.
bool json_number(const char *json, const char *key, double *number);

/// As a JSON string; null for NULL.
char *json_quote(const char *text);
