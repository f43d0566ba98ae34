#include "rules.h"

#include "text.h"

char *page(const char *config, size_t index) {
    char *url = json_get(config, "url"), *paths = json_get(config, "paths");
    char *path = paths ? json_item(paths, index) : NULL;
    return url && path ? format("%s%s", url, path) : NULL;
}

/// A server that starts answers 502 to 504, or not at all; a page that is missing stays away.
enum outcome outcome(unsigned status) {
    if (status >= 200 && status < 400) return DONE;
    return status == 429 || status >= 500 ? AGAIN : NEVER;
}
