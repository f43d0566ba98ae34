// Which page is next, and what an answer means: plain C, so that it can be tested anywhere.
#pragma once

#include <stddef.h>

enum outcome { DONE, AGAIN, NEVER };

/// The URL of a page; NULL behind the last one.
char *page(const char *config, size_t index);
enum outcome outcome(unsigned status);
