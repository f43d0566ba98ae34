// Asks for pages of a site until each has answered, so that the first visitor does not wait for cold caches.
//
// One page a call: the cursor is how many have answered, and after a crash it goes on there.

#include "phase_plugin.h"

#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "text.h"

typedef phase_plugin_string_t string;
typedef exports_lockgate_phase_phase_progressed_t progressed;
typedef lockgate_plugin_types_failure_t failure;

static const char schema[] = {
#embed "../config.schema.json"
    , 0};

static string given(char *text) {
    return (string){(uint8_t *)text, strlen(text)};
}

static string text(const char *constant) {
    return given(copy(constant, strlen(constant)));
}

static char *read(const string *from) {
    return copy(from->ptr, from->len);
}

static bool progressed_to(progressed *ret, bool is_done, size_t warm, const char *summary) {
    string cursor = given(format("%zu", warm));
    *ret = (progressed){
        .done = is_done,
        .cursor = {cursor.ptr, cursor.len},
        .summary = text(summary),
        .outputs = given(format("{\"warm\": %zu}", warm)),
    };
    return true;
}

void exports_lockgate_phase_phase_describe(exports_lockgate_phase_phase_description_t *ret) {
    *ret = (exports_lockgate_phase_phase_description_t){
        .name = text("warm-up"),
        .version = text("0.1.0"),
        .summary = text("Asks for pages of a site until each has answered."),
        .config_schema = text(schema),
        .requests = text("{\"http\": [{\"config\": \"/url\"}]}"),
    };
}

/// What the schema cannot say; the host has checked the rest.
void exports_lockgate_phase_phase_validate(string *config, exports_lockgate_phase_phase_list_issue_t *ret) {
    *ret = (exports_lockgate_phase_phase_list_issue_t){0};
}

bool exports_lockgate_phase_phase_advance(lockgate_plugin_types_call_t *c, string *config, string *subject,
                                          phase_plugin_list_u8_t *cursor, progressed *ret, failure *err) {
    size_t warm = strtoul(copy(cursor->ptr, cursor->len), NULL, 10);
    char *settings = read(config), *url = page(settings, warm);
    if (!url) return progressed_to(ret, true, warm, format("%zu pages are warm.", warm));

    lockgate_plugin_http_request_t request = {.method = text("GET"), .url = text(url), .timeout_ms = 10000};
    lockgate_plugin_http_response_t response;
    if (!lockgate_plugin_http_send(&request, &response, err)) {
        // A server that starts refuses connections first.
        err->retry = strcmp(read(&err->code), "denied") == 0 ? err->retry : LOCKGATE_PLUGIN_TYPES_RETRY_SAME_KEY;
        return false;
    }
    enum outcome came = outcome(response.status);
    if (came != DONE) {
        uint8_t retry = came == AGAIN ? LOCKGATE_PLUGIN_TYPES_RETRY_SAME_KEY : LOCKGATE_PLUGIN_TYPES_RETRY_NEVER;
        char *message = format("%s answered with status %u", url, (unsigned)response.status);
        *err = (failure){text("cold"), given(message), retry, 0, text("{}")};
        return false;
    }
    bool is_last = page(settings, warm + 1) == NULL;
    return progressed_to(ret, is_last, warm + 1, format("%s has answered.", url));
}

/// Nothing goes on outside that could be stopped.
bool exports_lockgate_phase_phase_cancel(lockgate_plugin_types_call_t *c, string *config, string *subject,
                                         phase_plugin_list_u8_t *cursor, progressed *ret, failure *err) {
    return progressed_to(ret, true, strtoul(copy(cursor->ptr, cursor->len), NULL, 10), "Nothing had to be stopped.");
}
