// Keeps the tag of the release at a URL that understands GET, PUT and DELETE.

#include "target_plugin.h"

#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "text.h"

typedef target_plugin_string_t string;
typedef target_plugin_list_u8_t bytes;
typedef exports_lockgate_target_target_planned_t planned;
typedef exports_lockgate_target_target_plan_step_t plan_step;
typedef exports_lockgate_target_target_progressed_t progressed;
typedef exports_lockgate_target_target_resource_change_t resource_change;
typedef exports_lockgate_target_target_field_change_t field_change;
typedef exports_lockgate_target_target_resource_state_t resource_state;
typedef lockgate_plugin_types_failure_t failure;
typedef lockgate_plugin_types_call_t call;

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

static const char *or_nothing(const char *value) {
    return value ? value : "nothing";
}

static bool fail(failure *err, const char *code, char *message, uint8_t retry) {
    *err = (failure){text(code), given(message), retry, 0, text("{}")};
    return false;
}

/// What may pass is tried again with the same key.
static bool refused(failure *err, unsigned status) {
    bool may_pass = status == 429 || status >= 500;
    uint8_t retry = may_pass ? LOCKGATE_PLUGIN_TYPES_RETRY_SAME_KEY : LOCKGATE_PLUGIN_TYPES_RETRY_NEVER;
    return fail(err, "refused", format("the service answered with status %u", status), retry);
}

static bool value_at(const char *url, char **value, failure *err) {
    lockgate_plugin_http_request_t request = {.method = text("GET"), .url = text(url), .timeout_ms = 10000};
    lockgate_plugin_http_response_t response;
    if (!lockgate_plugin_http_send(&request, &response, err)) return false;
    if (response.status != 200 && response.status != 404) return refused(err, response.status);
    char *body = copy(response.body.ptr, response.body.len);
    body[strcspn(body, "\r\n")] = 0;
    *value = response.status == 200 ? body : NULL;
    return true;
}

static bool write(const char *url, call *c, const char *value, failure *err) {
    lockgate_plugin_http_field_t key = {text("idempotency-key"), c->idempotency_key};
    string body = text(value ? value : "");
    lockgate_plugin_http_request_t request = {
        .method = text(value ? "PUT" : "DELETE"),
        .url = text(url),
        .headers = {&key, 1},
        .body = {body.ptr, body.len},
        .timeout_ms = 10000,
    };
    lockgate_plugin_http_response_t response;
    if (!lockgate_plugin_http_send(&request, &response, err)) return false;
    return (response.status >= 200 && response.status < 300) || refused(err, response.status);
}

/// From one value to another, and from nowhere else: what is there already is not written again.
static bool step(const char *url, call *c, const char *from, const char *to, const char *otherwise, progressed *ret,
                 failure *err) {
    char *now;
    if (!value_at(url, &now, err)) return false;
    switch (todo(now, from, to)) {
    case REFUSE:
        return fail(err, otherwise, format("%s holds %s now", url, or_nothing(now)), LOCKGATE_PLUGIN_TYPES_RETRY_NEVER);
    case WRITE:
        if (!write(url, c, to, err)) return false;
    case NOTHING:
    }
    *ret = (progressed){
        .done = true,
        .summary = given(format("%s holds %s", url, or_nothing(to))),
        .outputs = given(format("{\"value\": %s}", json_quote(to))),
    };
    return true;
}

void exports_lockgate_target_target_describe(exports_lockgate_target_target_description_t *ret) {
    *ret = (exports_lockgate_target_target_description_t){
        .name = text("%%name%%"),
        .version = text("0.1.0"),
        .summary = text("Keeps the tag of the release at a URL."),
        .config_schema = text(schema),
        .requests = text("{\"http\": [{\"config\": \"/url\"}]}"),
    };
}

/// What the schema cannot say; the host has checked the rest.
void exports_lockgate_target_target_validate(string *config, exports_lockgate_target_target_list_issue_t *ret) {
    *ret = (exports_lockgate_target_target_list_issue_t){0};
}

bool exports_lockgate_target_target_plan(call *c, string *config, string *subject, bytes *cursor, plan_step *ret,
                                         failure *err) {
    char *url = json_get(read(config), "url"), *about = read(subject), *after = wanted(about), *before;
    if (!url) return fail(err, "unreadable", format("the configuration has no url"), LOCKGATE_PLUGIN_TYPES_RETRY_NEVER);
    if (!value_at(url, &before, err)) return false;
    char *application = json_get(about, "application");

    field_change *field = malloc(sizeof *field);
    *field = (field_change){
        .path = text("/"), .before = given(json_quote(before)), .after = given(json_quote(after))};
    resource_change *change = malloc(sizeof *change);
    *change = (resource_change){
        .application = text(application ? application : ""),
        .kind = text("value"),
        .name = text(url),
        .action = action(before, after),
        .destructive = action(before, after) == DELETE,
        .fields = {field, 1},
    };
    *ret = (plan_step){
        .done = true,
        .planned = {
            .summary = given(format("%s: %s becomes %s", url, or_nothing(before), or_nothing(after))),
            .changes = {change, 1},
            .token = given(format("{\"before\": %s, \"after\": %s}", json_quote(before), json_quote(after))),
        },
    };
    return true;
}

bool exports_lockgate_target_target_apply(call *c, string *config, string *subject, planned *approved, bytes *cursor,
                                          progressed *ret, failure *err) {
    char *token = read(&approved->token), *url = json_get(read(config), "url");
    return step(url, c, json_get(token, "before"), json_get(token, "after"), "plan-stale", ret, err);
}

bool exports_lockgate_target_target_undo(call *c, string *config, string *subject, planned *approved, bytes *cursor,
                                         progressed *ret, failure *err) {
    char *token = read(&approved->token), *url = json_get(read(config), "url");
    return step(url, c, json_get(token, "after"), json_get(token, "before"), "changed-since", ret, err);
}

bool exports_lockgate_target_target_observe(call *c, string *config, string *subject,
                                            exports_lockgate_target_target_list_resource_state_t *ret, failure *err) {
    char *url = json_get(read(config), "url"), *value;
    if (!value_at(url, &value, err)) return false;
    char *application = json_get(read(subject), "application");
    resource_state *state = malloc(sizeof *state);
    *state = (resource_state){
        .application = text(application ? application : ""),
        .kind = text("value"),
        .name = text(url),
        .version = text(value ? value : ""),
        .artifact_uri = text(url),
        .weight_percent = 100,
        .health = value ? EXPORTS_LOCKGATE_TARGET_TARGET_HEALTH_HEALTHY : EXPORTS_LOCKGATE_TARGET_TARGET_HEALTH_MISSING,
        .details = text("{}"),
    };
    *ret = (exports_lockgate_target_target_list_resource_state_t){state, 1};
    return true;
}
