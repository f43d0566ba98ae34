#include "rules.h"

#include <string.h>

#include "text.h"

char *measure(unsigned status, const char *body, const char *field) {
    double number;
    bool is_number = status == 200 && json_number(body, field, &number);
    char *value = is_number ? format("%.17g", number) : format("null");
    return format("{\"status\": %u, \"field\": %s, \"value\": %s}", status, json_quote(field), value);
}

enum decision decide(const char *config, const char *evidence, char **reason) {
    const char *field = json_get(config, "field"), *measured = json_get(evidence, "field");
    double max, value, status = 0;
    if (!field || !json_number(config, "max", &max)) {
        *reason = format("the configuration has no field, or no max");
        return INCONCLUSIVE;
    }
    if (!json_number(evidence, "value", &value)) {
        json_number(evidence, "status", &status);
        *reason = format("no number %s in an answer of status %.0f", field, status);
        return INCONCLUSIVE;
    }
    if (!measured || strcmp(field, measured) != 0) {
        *reason = format("%s was measured, not %s", measured ? measured : "something else", field);
        return INCONCLUSIVE;
    }
    *reason = format("%s is %g, at most %g is allowed", field, value, max);
    return value <= max ? PASS : FAIL;
}
