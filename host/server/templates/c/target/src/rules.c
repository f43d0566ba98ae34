#include "rules.h"

#include <stdbool.h>
#include <string.h>

#include "text.h"

static bool same(const char *one, const char *other) {
    return one && other ? strcmp(one, other) == 0 : one == other;
}

char *wanted(const char *subject) {
    char *release = json_get(subject, "release");
    return same(json_get(subject, "type"), "DESTROY") || !release ? NULL : json_get(release, "tag");
}

enum action action(const char *before, const char *after) {
    if (same(before, after)) return NO_OP;
    if (!before) return CREATE;
    return after ? UPDATE : DELETE;
}

/// A call may be repeated: it may have been done already.
enum todo todo(const char *now, const char *from, const char *to) {
    if (same(now, to)) return NOTHING;
    return same(now, from) ? WRITE : REFUSE;
}
