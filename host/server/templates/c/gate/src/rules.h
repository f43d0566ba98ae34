// What is measured and how it is judged: plain C, so that it can be tested anywhere.
#pragma once

enum decision { PASS, FAIL, INCONCLUSIVE };

/// Kept for back-tests: later versions must be able to read it.
char *measure(unsigned status, const char *body, const char *field);

enum decision decide(const char *config, const char *evidence, char **reason);
