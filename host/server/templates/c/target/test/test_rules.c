#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "rules.h"
#include "text.h"

static void the_plan_names_what_would_happen(void) {
    assert(action(NULL, "v1") == CREATE);
    assert(action("v1", "v2") == UPDATE);
    assert(action("v2", "v2") == NO_OP);
    assert(action("v2", NULL) == DELETE);
}

static void a_teardown_leaves_nothing(void) {
    assert(strcmp(wanted("{\"type\": \"FULL\", \"release\": {\"tag\": \"v1\"}}"), "v1") == 0);
    assert(wanted("{\"type\": \"DESTROY\", \"release\": {\"tag\": \"v1\"}}") == NULL);
}

static void a_repeated_call_writes_once_and_a_moved_world_is_left_alone(void) {
    assert(todo("v1", "v1", "v2") == WRITE);
    assert(todo("v2", "v1", "v2") == NOTHING);
    assert(todo("v9", "v1", "v2") == REFUSE);
    assert(todo(NULL, "v1", "v2") == REFUSE);
}

int main(void) {
    the_plan_names_what_would_happen();
    a_teardown_leaves_nothing();
    a_repeated_call_writes_once_and_a_moved_world_is_left_alone();
    puts("3 tests passed");
}
