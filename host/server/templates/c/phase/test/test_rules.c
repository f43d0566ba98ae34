#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "rules.h"
#include "text.h"

static void the_announcement_names_release_and_environment(void) {
    const char *subject = "{\"weight\": 100, \"release\": {\"digest\": \"}\", \"tag\": \"v1 \\\"\\u00e9\"}, "
                          "\"environment\": \"production\", \"project\": \"shop\"}";
    const char *expected = "{\"release\": \"v1 \\\"é\", \"environment\": \"production\", \"project\": \"shop\"}";
    assert(strcmp(announcement(subject), expected) == 0);
}

static void only_what_may_pass_is_tried_again(void) {
    assert(outcome(204) == DONE);
    assert(outcome(404) == NEVER);
    assert(outcome(429) == AGAIN);
    assert(outcome(503) == AGAIN);
}

int main(void) {
    the_announcement_names_release_and_environment();
    only_what_may_pass_is_tried_again();
    puts("2 tests passed");
}
