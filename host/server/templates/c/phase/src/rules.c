#include "rules.h"

#include "text.h"

char *announcement(const char *subject) {
    char *release = json_get(subject, "release");
    char *tag = json_quote(release ? json_get(release, "tag") : NULL);
    char *environment = json_quote(json_get(subject, "environment"));
    char *project = json_quote(json_get(subject, "project"));
    return format("{\"release\": %s, \"environment\": %s, \"project\": %s}", tag, environment, project);
}

/// What may pass is tried again with the same key.
enum outcome outcome(unsigned status) {
    if (status >= 200 && status < 300) return DONE;
    return status == 408 || status == 429 || status >= 500 ? AGAIN : NEVER;
}
