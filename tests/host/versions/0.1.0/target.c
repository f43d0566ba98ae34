// A target that makes use of everything its world has: every call that may go on takes two.

#include "target_plugin.h"

typedef target_plugin_string_t string;
typedef target_plugin_list_u8_t bytes;
typedef exports_lockgate_target_target_planned_t planned;
typedef exports_lockgate_target_target_plan_step_t plan_step;
typedef exports_lockgate_target_target_progressed_t progressed;
typedef exports_lockgate_target_target_resource_change_t resource_change;
typedef exports_lockgate_target_target_field_change_t field_change;
typedef exports_lockgate_target_target_resource_state_t resource_state;
typedef lockgate_plugin_types_failure_t failure;
typedef lockgate_plugin_types_field_t field;
typedef lockgate_plugin_types_call_t call;

#include "guest.h"

void exports_lockgate_target_target_describe(exports_lockgate_target_target_description_t *ret) {
    *ret = (exports_lockgate_target_target_description_t){
        .name = text("golden-target"),
        .version = text("0.1.0"),
        .summary = text("Uses all that a target has."),
        .config_schema = text("{\"type\": \"object\", \"required\": [\"url\"]}"),
        .requests = text("{\"http\": [{\"config\": \"/url\"}], \"secrets\": [{\"named\": \"golden\"}], \"state\": true}"),
        .extra = {fields("of", "describe"), 1},
    };
}

void exports_lockgate_target_target_validate(string *config, exports_lockgate_target_target_list_issue_t *ret) {
    *ret = (exports_lockgate_target_target_list_issue_t){0};
    if (!strstr(read(config), "\"refuse\"")) return;
    ret->ptr = malloc(sizeof *ret->ptr);
    ret->len = 1;
    ret->ptr[0] = (exports_lockgate_target_target_issue_t){text("/refuse"), text("is refused, as it says")};
}

bool exports_lockgate_target_target_plan(call *c, string *config, string *subject, bytes *from, plan_step *ret,
                                         failure *err) {
    if (from->len == 0) {
        *ret = (plan_step){.cursor = cursor("begun"), .poll_after_ms = 1, .planned = {.token = text("{}")}};
        return true;
    }
    field_change *changed = malloc(2 * sizeof *changed);
    changed[0] = (field_change){.path = text("/tag"), .before = text("null"), .after = text("\"new\"")};
    changed[1] = (field_change){.path = text("/key"), .sensitive = true, .fingerprint = text("f00")};
    resource_change *changes = malloc(2 * sizeof *changes);
    changes[0] = (resource_change){
        .application = text("web"),
        .kind = text("value"),
        .name = text("one"),
        .action = EXPORTS_LOCKGATE_TARGET_TARGET_ACTION_UPDATE,
        .fields = {changed, 2},
    };
    changes[1] = (resource_change){
        .application = text("web"),
        .kind = text("value"),
        .name = text("two"),
        .action = EXPORTS_LOCKGATE_TARGET_TARGET_ACTION_NO_OP,
    };
    *ret = (plan_step){
        .done = true,
        .planned = {.summary = text("one changes"), .changes = {changes, 2}, .token = text("{\"token\":\"approved\"}")},
        .extra = {fields("of", "plan-step"), 1},
    };
    return true;
}

/// Tells the server outside, with the secret.
static bool tell(call *c, const char *config, const char *what, failure *err) {
    string name = text("golden"), token;
    if (!lockgate_plugin_secrets_token(&name, &token, err)) return false;
    lockgate_plugin_http_field_t headers[] = {
        {text("authorization"), text(join("Bearer ", read(&token)))},
        {text("idempotency-key"), c->idempotency_key},
    };
    string body = text(what);
    lockgate_plugin_http_request_t request = {
        .method = text("POST"),
        .url = text(string_at(config, "url", NULL)),
        .headers = {headers, 2},
        .body = {body.ptr, body.len},
        .timeout_ms = 10000,
    };
    lockgate_plugin_http_response_t response;
    return lockgate_plugin_http_send(&request, &response, err);
}

static bool begin(progressed *ret, failure *err) {
    string line = text("the first call"), half = text("half of it"), key = text("applies");
    lockgate_plugin_log_list_field_t none = {0};
    lockgate_plugin_log_emit(LOCKGATE_PLUGIN_TYPES_LEVEL_INFO, &line, &none);
    lockgate_plugin_progress_report(50, &half);
    lockgate_plugin_state_list_entry_t kept;
    if (!lockgate_plugin_state_get(&key, &kept, err)) return false;
    bytes value = cursor("kept");
    uint32_t version;
    if (!lockgate_plugin_state_put(&key, &value, kept.len > 0 ? kept.ptr[0].version : 0, &version, err)) return false;
    *ret = (progressed){.cursor = cursor("begun"), .poll_after_ms = 1, .summary = text("begun"), .outputs = text("{}")};
    return true;
}

bool exports_lockgate_target_target_apply(call *c, string *config, string *subject, planned *approved, bytes *from,
                                          progressed *ret, failure *err) {
    if (from->len == 0) return begin(ret, err);
    char *settings = read(config);
    if (strstr(settings, "\"fail\"")) {
        *err = (failure){text("golden"), text("fails, as it says"), LOCKGATE_PLUGIN_TYPES_RETRY_NEVER, 0, text("{}")};
        return false;
    }
    string digest = text(string_at(read(subject), "artifacts", "digest"));
    lockgate_plugin_artifacts_own_reader_t reader;
    if (!lockgate_plugin_artifacts_open(&digest, &reader, err)) return false;
    bytes start;
    if (!lockgate_plugin_artifacts_method_reader_read(lockgate_plugin_artifacts_borrow_reader(reader), 1024, &start,
                                                      err)) {
        return false;
    }
    // Exactly what was planned and approved comes back.
    const char *whole = approved->changes.len == 2 && approved->changes.ptr[0].fields.len == 2 ? "whole " : "cut ";
    const char *token = string_at(read(&approved->token), "token", NULL);
    if (!tell(c, settings, join("apply ", whole, token, " ", copied(start.ptr, start.len)), err)) return false;
    bool is_cancelled = lockgate_plugin_control_is_cancelled(), has_time = lockgate_plugin_control_remaining_ms() > 0;
    bool was_cancelled = lockgate_plugin_control_wait(1);
    *ret = (progressed){
        .done = true,
        .summary = text("applied"),
        .outputs = text(join("{\"cancelled\": ", yes_or_no(is_cancelled || was_cancelled), ", \"time\": ",
                             yes_or_no(has_time), "}")),
        .extra = {fields("of", "progressed"), 1},
    };
    return true;
}

bool exports_lockgate_target_target_undo(call *c, string *config, string *subject, planned *approved, bytes *from,
                                         progressed *ret, failure *err) {
    if (from->len == 0) return begin(ret, err);
    if (!tell(c, read(config), "undo", err)) return false;
    *ret = (progressed){.done = true, .summary = text("undone"), .outputs = text("{}")};
    return true;
}

bool exports_lockgate_target_target_observe(call *c, string *config, string *subject,
                                            exports_lockgate_target_target_list_resource_state_t *ret, failure *err) {
    if (!tell(c, read(config), "observe", err)) return false;
    resource_state *state = malloc(sizeof *state);
    *state = (resource_state){
        .application = text("web"),
        .kind = text("value"),
        .name = text("one"),
        .version = text("unknown"),
        .artifact_uri = text("file:one"),
        .weight_percent = 100,
        .health = EXPORTS_LOCKGATE_TARGET_TARGET_HEALTH_DEGRADED,
        .details = text("{\"seen\": true}"),
    };
    *ret = (exports_lockgate_target_target_list_resource_state_t){state, 1};
    return true;
}
