// What is said, and what an answer means: plain C, so that it can be tested anywhere.
#pragma once

enum outcome { DONE, AGAIN, NEVER };

char *announcement(const char *subject);
enum outcome outcome(unsigned status);
