// A gate that makes use of everything its world has: two calls for a sample, and each of the three decisions.

#include "gate_plugin.h"

typedef gate_plugin_string_t string;
typedef gate_plugin_list_u8_t bytes;
typedef exports_lockgate_gate_gate_sampled_t sampled;
typedef exports_lockgate_gate_gate_verdict_t verdict;
typedef lockgate_plugin_types_failure_t failure;
typedef lockgate_plugin_types_field_t field;

#include "guest.h"

void exports_lockgate_gate_gate_describe(exports_lockgate_gate_gate_description_t *ret) {
    *ret = (exports_lockgate_gate_gate_description_t){
        .name = text("golden-gate"),
        .version = text("0.1.0"),
        .summary = text("Uses all that a gate has."),
        .config_schema = text("{\"type\": \"object\", \"required\": [\"url\"]}"),
        .requests = text("{\"http\": [{\"config\": \"/url\"}], \"secrets\": [{\"named\": \"golden\"}]}"),
        .extra = {fields("of", "describe"), 1},
    };
}

void exports_lockgate_gate_gate_validate(string *config, exports_lockgate_gate_gate_list_issue_t *ret) {
    *ret = (exports_lockgate_gate_gate_list_issue_t){0};
    if (!strstr(read(config), "\"refuse\"")) return;
    ret->ptr = malloc(sizeof *ret->ptr);
    ret->len = 1;
    ret->ptr[0] = (exports_lockgate_gate_gate_issue_t){text("/refuse"), text("is refused, as it says")};
}

bool exports_lockgate_gate_gate_sample(lockgate_plugin_types_call_t *c, string *config, string *subject, bytes *memo,
                                       sampled *ret, failure *err) {
    if (memo->len == 0) {
        string line = text(join("begins in ", read(&c->environment)));
        lockgate_plugin_log_list_field_t none = {0};
        lockgate_plugin_log_emit(LOCKGATE_PLUGIN_TYPES_LEVEL_INFO, &line, &none);
        *ret = (sampled){.evidence = text("{}"), .memo = cursor("begun"), .poll_after_ms = 1};
        return true;
    }
    string digest = text(string_at(read(subject), "artifacts", "digest")), name = text("golden"), token;
    lockgate_plugin_artifacts_own_reader_t reader;
    if (!lockgate_plugin_artifacts_open(&digest, &reader, err)) return false;
    bytes start;
    if (!lockgate_plugin_artifacts_method_reader_read(lockgate_plugin_artifacts_borrow_reader(reader), 4, &start, err)) {
        return false;
    }
    if (!lockgate_plugin_secrets_token(&name, &token, err)) return false;
    lockgate_plugin_http_field_t headers[] = {{text("authorization"), text(join("Bearer ", read(&token)))}};
    lockgate_plugin_http_request_t request = {
        .method = text("POST"),
        .url = text(string_at(read(config), "url", NULL)),
        .headers = {headers, 1},
        .body = {start.ptr, start.len},
        .timeout_ms = 10000,
    };
    lockgate_plugin_http_response_t response;
    if (!lockgate_plugin_http_send(&request, &response, err)) return false;
    bool is_cancelled = lockgate_plugin_control_is_cancelled(), has_time = lockgate_plugin_control_remaining_ms() > 0;
    bool was_cancelled = lockgate_plugin_control_wait(1);
    *ret = (sampled){
        .done = true,
        .evidence = text(join("{\"status\": ", number(response.status), ", \"cancelled\": ",
                              yes_or_no(is_cancelled || was_cancelled), ", \"time\": ", yes_or_no(has_time), "}")),
        .memo = *memo,
        .extra = {fields("of", "sampled"), 1},
    };
    return true;
}

bool exports_lockgate_gate_gate_judge(string *config, string *subject, string *evidence, verdict *ret, failure *err) {
    char *measured = read(evidence);
    uint8_t decision = strstr(measured, "200") ? EXPORTS_LOCKGATE_GATE_GATE_DECISION_PASS
                       : strstr(measured, "400") ? EXPORTS_LOCKGATE_GATE_GATE_DECISION_FAIL
                                                   : EXPORTS_LOCKGATE_GATE_GATE_DECISION_INCONCLUSIVE;
    *ret = (verdict){.decision = decision, .reason = text(measured), .extra = {fields("of", "verdict"), 1}};
    return true;
}
