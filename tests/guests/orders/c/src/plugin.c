// Places orders with a supplier, one a call. The cursor is how many it has taken.

#include "phase_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool progressed_to(progressed *ret, bool is_done, unsigned placed, char *outputs) {
    string cursor = given(format("%u", placed));
    *ret = (progressed){
        .done = is_done,
        .cursor = {cursor.ptr, cursor.len},
        .summary = given(format("%u orders are placed.", placed)),
        .outputs = given(outputs),
    };
    return true;
}

void exports_lockgate_phase_phase_describe(exports_lockgate_phase_phase_description_t *ret) {
    *ret = (exports_lockgate_phase_phase_description_t){
        .name = text("orders-in-c"),
        .version = text("0.1.0"),
        .summary = text("Places orders, one a call."),
        .config_schema = text(schema),
        .requests = text("{\"http\": [{\"config\": \"/url\"}]}"),
    };
}

void exports_lockgate_phase_phase_validate(string *config, exports_lockgate_phase_phase_list_issue_t *ret) {
    *ret = (exports_lockgate_phase_phase_list_issue_t){0};
}

static const char *came_of(const char *what, const char *at) {
    failure denied = {0};
    bool was_granted = true;
    if (strcmp(what, "http") == 0) {
        lockgate_plugin_http_request_t request = {.method = text("GET"), .url = text(at)};
        lockgate_plugin_http_response_t response;
        was_granted = lockgate_plugin_http_send(&request, &response, &denied);
    } else if (strcmp(what, "secret") == 0) {
        string name = text("deploy-key"), token;
        was_granted = lockgate_plugin_secrets_token(&name, &token, &denied);
    } else if (strcmp(what, "state") == 0) {
        string key = text("count");
        lockgate_plugin_state_list_entry_t entries;
        was_granted = lockgate_plugin_state_get(&key, &entries, &denied);
    } else if (strcmp(what, "file") == 0) {
        return fopen("/etc/passwd", "r") ? "opened" : "no file";
    }
    return was_granted ? "granted" : read(&denied.code);
}

bool exports_lockgate_phase_phase_advance(lockgate_plugin_types_call_t *c, string *config, string *subject,
                                          phase_plugin_list_u8_t *cursor, progressed *ret, failure *err) {
    char *settings = read(config), *what = json_get(settings, "try"), *url = json_get(settings, "url");
    if (what) {
        const char *came = came_of(what, json_get(settings, "at"));
        return progressed_to(ret, true, 0, format("{\"came\": %s}", json_quote(came)));
    }
    unsigned order = strtoul(copy(cursor->ptr, cursor->len), NULL, 10);
    string body = given(format("{\"order\": %u, \"sequence\": %u}", order, (unsigned)c->sequence));
    lockgate_plugin_http_field_t key = {text("idempotency-key"), c->idempotency_key};
    lockgate_plugin_http_request_t request = {
        .method = text("POST"), .url = text(url), .headers = {&key, 1}, .body = {body.ptr, body.len}};
    lockgate_plugin_http_response_t response;
    if (!lockgate_plugin_http_send(&request, &response, err)) return false;
    if (response.status != 200) {
        char *message = format("the supplier answered with status %u", (unsigned)response.status);
        *err = (failure){text("refused"), given(message), LOCKGATE_PLUGIN_TYPES_RETRY_NEVER, 0, text("{}")};
        return false;
    }
    double orders = 0;
    json_number(settings, "orders", &orders);
    return progressed_to(ret, order + 1 == orders, order + 1, format("{\"placed\": %u}", order + 1));
}

bool exports_lockgate_phase_phase_cancel(lockgate_plugin_types_call_t *c, string *config, string *subject,
                                         phase_plugin_list_u8_t *cursor, progressed *ret, failure *err) {
    return progressed_to(ret, true, 0, format("{}"));
}
