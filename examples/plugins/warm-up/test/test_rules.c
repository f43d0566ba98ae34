#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "rules.h"

static void pages_come_in_their_order_and_end(void) {
    const char *config = "{\"paths\": [\"/\", \"/caf\\u00e9?a=[1,2]\"], \"url\": \"http://shop\"}";
    assert(strcmp(page(config, 0), "http://shop/") == 0);
    assert(strcmp(page(config, 1), "http://shop/café?a=[1,2]") == 0);
    assert(page(config, 2) == NULL);
    assert(page("{}", 0) == NULL);
}

static void a_server_that_starts_is_asked_again(void) {
    assert(outcome(200) == DONE);
    assert(outcome(301) == DONE);
    assert(outcome(503) == AGAIN);
    assert(outcome(404) == NEVER);
}

int main(void) {
    pages_come_in_their_order_and_end();
    a_server_that_starts_is_asked_again();
    puts("2 tests passed");
}
