#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "rules.h"
#include "text.h"

static enum decision decision(unsigned status, const char *body) {
    char *reason;
    return decide("{\"field\": \"error_rate\", \"max\": 0.01}", measure(status, body, "error_rate"), &reason);
}

static void a_number_passes_up_to_its_limit(void) {
    assert(decision(200, "{\"error_rate\": 0.01}") == PASS);
    assert(decision(200, "{\"other\": [1, {}], \"error_rate\": 0.02}") == FAIL);
}

static void without_a_number_nothing_is_known(void) {
    assert(decision(503, "{\"error_rate\": 0}") == INCONCLUSIVE);
    assert(decision(200, "{\"error_rate\": \"0\"}") == INCONCLUSIVE);
    assert(decision(200, "busy") == INCONCLUSIVE);
}

int main(void) {
    a_number_passes_up_to_its_limit();
    without_a_number_nothing_is_known();
    puts("2 tests passed");
}
