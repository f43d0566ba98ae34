// Asks a URL for a JSON object, and passes while one number in it is not too high.

#include "gate_plugin.h"

#include <string.h>

#include "rules.h"
#include "text.h"

typedef gate_plugin_string_t string;
typedef exports_lockgate_gate_gate_sampled_t sampled;
typedef exports_lockgate_gate_gate_verdict_t verdict;
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

void exports_lockgate_gate_gate_describe(exports_lockgate_gate_gate_description_t *ret) {
    *ret = (exports_lockgate_gate_gate_description_t){
        .name = text("%%name%%"),
        .version = text("0.1.0"),
        .summary = text("Passes while a number that a URL answers with is not too high."),
        .config_schema = text(schema),
        .requests = text("{\"http\": [{\"config\": \"/url\"}]}"),
    };
}

/// What the schema cannot say; the host has checked the rest.
void exports_lockgate_gate_gate_validate(string *config, exports_lockgate_gate_gate_list_issue_t *ret) {
    *ret = (exports_lockgate_gate_gate_list_issue_t){0};
}

/// Measures, and decides nothing.
bool exports_lockgate_gate_gate_sample(lockgate_plugin_types_call_t *c, string *config, string *subject,
                                       gate_plugin_list_u8_t *memo, sampled *ret, failure *err) {
    char *url = json_get(read(config), "url"), *field = json_get(read(config), "field");
    if (!url || !field) {
        *err = (failure){text("unreadable"), text("the configuration has no url, or no field"),
                         LOCKGATE_PLUGIN_TYPES_RETRY_NEVER, 0, text("{}")};
        return false;
    }
    lockgate_plugin_http_request_t request = {.method = text("GET"), .url = given(url), .timeout_ms = 10000};
    lockgate_plugin_http_response_t response;
    if (!lockgate_plugin_http_send(&request, &response, err)) return false;
    char *body = copy(response.body.ptr, response.body.len);
    *ret = (sampled){.done = true, .evidence = given(measure(response.status, body, field))};
    return true;
}

/// Decides by the evidence alone.
bool exports_lockgate_gate_gate_judge(string *config, string *subject, string *evidence, verdict *ret, failure *err) {
    char *reason;
    enum decision decision = decide(read(config), read(evidence), &reason);
    // The order is that of the WIT file.
    *ret = (verdict){.decision = decision, .reason = given(reason)};
    return true;
}
