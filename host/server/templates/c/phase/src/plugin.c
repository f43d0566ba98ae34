// Tells a web service which release is on its way.

#include "phase_plugin.h"

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

static bool done(progressed *ret, const char *summary, char *outputs) {
    *ret = (progressed){.done = true, .summary = text(summary), .outputs = given(outputs)};
    return true;
}

void exports_lockgate_phase_phase_describe(exports_lockgate_phase_phase_description_t *ret) {
    *ret = (exports_lockgate_phase_phase_description_t){
        .name = text("%%name%%"),
        .version = text("0.1.0"),
        .summary = text("Tells a web service which release is on its way."),
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
    char *url = json_get(read(config), "url");
    if (!url) {
        *err = (failure){text("unreadable"), text("the configuration has no url"), LOCKGATE_PLUGIN_TYPES_RETRY_NEVER, 0,
                         text("{}")};
        return false;
    }
    lockgate_plugin_http_field_t headers[] = {
        {text("content-type"), text("application/json")},
        {text("idempotency-key"), c->idempotency_key},
    };
    string body = given(announcement(read(subject)));
    lockgate_plugin_http_request_t request = {
        .method = text("POST"),
        .url = given(url),
        .headers = {headers, 2},
        .body = {body.ptr, body.len},
        .timeout_ms = 10000,
    };
    lockgate_plugin_http_response_t response;
    if (!lockgate_plugin_http_send(&request, &response, err)) return false;
    enum outcome came = outcome(response.status);
    if (came != DONE) {
        uint8_t retry = came == AGAIN ? LOCKGATE_PLUGIN_TYPES_RETRY_SAME_KEY : LOCKGATE_PLUGIN_TYPES_RETRY_NEVER;
        char *message = format("the service answered with status %u", (unsigned)response.status);
        *err = (failure){text("refused"), given(message), retry, 0, text("{}")};
        return false;
    }
    return done(ret, "The release was announced.", format("{\"status\": %u}", (unsigned)response.status));
}

/// Nothing goes on outside that could be stopped.
bool exports_lockgate_phase_phase_cancel(lockgate_plugin_types_call_t *c, string *config, string *subject,
                                         phase_plugin_list_u8_t *cursor, progressed *ret, failure *err) {
    return done(ret, "There was nothing to stop.", format("{}"));
}
