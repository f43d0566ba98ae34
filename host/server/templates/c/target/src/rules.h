// What a plan says and what is left to do: plain C, so that it can be tested anywhere. A value is NULL where there is none.
#pragma once

/// In the order of the WIT file.
enum action { CREATE, UPDATE, DELETE, REPLACE, NO_OP };
enum todo { NOTHING, WRITE, REFUSE };

char *wanted(const char *subject);
enum action action(const char *before, const char *after);
enum todo todo(const char *now, const char *from, const char *to);
