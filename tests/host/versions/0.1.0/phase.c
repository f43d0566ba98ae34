// A phase that makes use of everything its world has, in two calls.

#include "phase_plugin.h"

typedef phase_plugin_string_t string;
typedef phase_plugin_list_u8_t bytes;
typedef exports_lockgate_phase_phase_progressed_t progressed;
typedef lockgate_plugin_types_failure_t failure;
typedef lockgate_plugin_types_field_t field;

#include "guest.h"

void exports_lockgate_phase_phase_describe(exports_lockgate_phase_phase_description_t *ret) {
    *ret = (exports_lockgate_phase_phase_description_t){
        .name = text("golden-phase"),
        .version = text("0.1.0"),
        .summary = text("Uses all that a phase has."),
        .config_schema = text("{\"type\": \"object\", \"required\": [\"url\"]}"),
        .requests = text("{\"http\": [{\"config\": \"/url\"}], \"secrets\": [{\"named\": \"golden\"}], \"state\": true}"),
        .extra = {fields("of", "describe"), 1},
    };
}

void exports_lockgate_phase_phase_validate(string *config, exports_lockgate_phase_phase_list_issue_t *ret) {
    *ret = (exports_lockgate_phase_phase_list_issue_t){0};
    if (!strstr(read(config), "\"refuse\"")) return;
    ret->ptr = malloc(sizeof *ret->ptr);
    ret->len = 1;
    ret->ptr[0] = (exports_lockgate_phase_phase_issue_t){text("/refuse"), text("is refused, as it says")};
}

static bool begin(lockgate_plugin_types_call_t *c, bool is_held, progressed *ret) {
    string line = text("the first call"), half = text("half of it");
    lockgate_plugin_log_list_field_t said = {fields("sequence", number(c->sequence)), 1};
    lockgate_plugin_log_emit(LOCKGATE_PLUGIN_TYPES_LEVEL_WARN, &line, &said);
    lockgate_plugin_progress_report(50, &half);
    *ret = (progressed){
        .cursor = cursor("begun"),
        .poll_after_ms = is_held ? 3600000 : 1,
        .summary = text("begun"),
        .outputs = text("{}"),
    };
    return true;
}

/// One version after the other.
static bool keep(uint32_t *version, failure *err) {
    string key = text("calls");
    bytes value = cursor("kept");
    lockgate_plugin_state_list_entry_t kept;
    if (!lockgate_plugin_state_get(&key, &kept, err)) return false;
    return lockgate_plugin_state_put(&key, &value, kept.len > 0 ? kept.ptr[0].version : 0, version, err);
}

/// All of it, in small pieces.
static bool artifact(string digest, bytes *whole, failure *err) {
    lockgate_plugin_artifacts_own_reader_t reader;
    if (!lockgate_plugin_artifacts_open(&digest, &reader, err)) return false;
    lockgate_plugin_artifacts_borrow_reader_t borrowed = lockgate_plugin_artifacts_borrow_reader(reader);
    for (bytes piece = {0};;) {
        if (!lockgate_plugin_artifacts_method_reader_read(borrowed, 4, &piece, err)) return false;
        if (piece.len == 0) break;
        whole->ptr = realloc(whole->ptr, whole->len + piece.len);
        memcpy(whole->ptr + whole->len, piece.ptr, piece.len);
        whole->len += piece.len;
    }
    lockgate_plugin_artifacts_reader_drop_own(reader);
    return true;
}

static bool finish(lockgate_plugin_types_call_t *c, char *config, char *subject, progressed *ret, failure *err) {
    string digest = text(string_at(subject, "artifacts", "digest")), name = text("golden"), token;
    bytes content = {0};
    uint32_t version;
    if (!keep(&version, err) || !artifact(digest, &content, err)) return false;
    if (!lockgate_plugin_secrets_token(&name, &token, err)) return false;
    lockgate_plugin_http_field_t headers[] = {
        {text("authorization"), text(join("Bearer ", read(&token)))},
        {text("idempotency-key"), c->idempotency_key},
    };
    lockgate_plugin_http_request_t request = {
        .method = text("POST"),
        .url = text(string_at(config, "url", NULL)),
        .headers = {headers, 2},
        .body = {content.ptr, content.len},
        .timeout_ms = 10000,
    };
    lockgate_plugin_http_response_t response;
    if (!lockgate_plugin_http_send(&request, &response, err)) return false;
    lockgate_plugin_artifacts_write_own_writer_t writer;
    failure unwritten = {0};
    bool is_written = lockgate_plugin_artifacts_write_create(&name, &writer, &unwritten);
    bool is_cancelled = lockgate_plugin_control_is_cancelled(), has_time = lockgate_plugin_control_remaining_ms() > 0;
    bool was_cancelled = lockgate_plugin_control_wait(1);

    lockgate_plugin_types_artifact_t *built = malloc(sizeof *built);
    *built = (lockgate_plugin_types_artifact_t){
        .name = text("built"),
        .uri = text("file:built"),
        .digest = digest,
        .media_type = text("text/plain"),
        .build_id = text("1"),
        .stack = text("c"),
        .application = text("web"),
        .metadata = {fields("of", "artifact"), 1},
    };
    const char *written = is_written ? "written" : read(&unwritten.code);
    *ret = (progressed){
        .done = true,
        .cursor = cursor("done"),
        .summary = text("used everything"),
        .outputs = text(join("{\"status\": ", number(response.status), ", \"write\": \"", written,
                             "\", \"cancelled\": ", yes_or_no(is_cancelled || was_cancelled), ", \"time\": ",
                             yes_or_no(has_time), ", \"version\": ", number(version), "}")),
        .artifacts = {built, 1},
        .extra = {fields("of", "progressed"), 1},
    };
    return true;
}

bool exports_lockgate_phase_phase_advance(lockgate_plugin_types_call_t *c, string *config, string *subject,
                                          bytes *cursor, progressed *ret, failure *err) {
    char *settings = read(config);
    if (strstr(settings, "\"fail\"")) {
        *err = (failure){text("golden"), text("fails, as it says"), LOCKGATE_PLUGIN_TYPES_RETRY_NEVER, 0, text("{}")};
        return false;
    }
    if (cursor->len == 0) return begin(c, strstr(settings, "\"hold\"") != NULL, ret);
    return finish(c, settings, read(subject), ret, err);
}

bool exports_lockgate_phase_phase_cancel(lockgate_plugin_types_call_t *c, string *config, string *subject,
                                         bytes *cursor, progressed *ret, failure *err) {
    string line = text(join("stopped where it had ", copied(cursor->ptr, cursor->len)));
    lockgate_plugin_log_list_field_t none = {0};
    lockgate_plugin_log_emit(LOCKGATE_PLUGIN_TYPES_LEVEL_INFO, &line, &none);
    *ret = (progressed){.done = true, .summary = line, .outputs = text("{}")};
    return true;
}
