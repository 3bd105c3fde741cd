/* Templates of what is sent, and the stamps by which a message is known again. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <string.h>

/* Four letters that stand together in no word, so that no other text looks like a stamp. */
static const char mark[] = "zqxj";

static uint64_t next_random(void) {
    static uint64_t state;
    if (!state) state = now_ns() | 1;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545F4914F6CDD1Dull;
}

static size_t uuid(char *out) {
    uint64_t high = next_random(), low = next_random();
    return sprintf(out, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
                   (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
                   (unsigned)(0x8000 | (low >> 48 & 0x3fff)),
                   (unsigned long long)(low & 0xffffffffffffull));
}

/* Words that no renderer does anything with. */
static size_t pad(char *out, size_t room) {
    static const char words[] = "we meet again in the same old place and talk about the day ";
    size_t bytes = (size_t)padding < room ? (size_t)padding : room;
    for (size_t i = 0; i < bytes; i++) out[i] = words[i % (sizeof words - 1)];
    if (bytes && out[bytes - 1] == ' ') out[bytes - 1] = '.';
    return bytes;
}

size_t expanded(char *out, size_t room, const char *from, int number, int64_t stamp) {
    size_t n = 0;
    for (; *from; from++) {
        if (n + 64 > room) fail("a text is longer than %zu bytes", room);
        if (*from != '%' || !from[1]) {
            out[n++] = *from;
            continue;
        }
        switch (*++from) {
        case 'C': n += sprintf(out + n, "%d", number); break;
        case 'P': n += pad(out + n, room - n - 64); break;
        case 'U': n += uuid(out + n); break;
        case '%': out[n++] = '%'; break;
        case 'S': n += sprintf(out + n, "%s%0*lld", mark, STAMP_DIGITS, (long long)stamp); break;
        case 'V': {
            if (number >= options.value_count) fail("no value for connection %d", number);
            size_t bytes = strlen(options.values[number]);
            if (n + bytes + 64 > room) fail("a value is too long");
            memcpy(out + n, options.values[number], bytes);
            n += bytes;
            break;
        }
        default: fail("%%%c means nothing in a template", *from);
        }
    }
    return n;
}

int64_t next_stamp(const uint8_t **at, const uint8_t *end) {
    while (end - *at >= STAMP_BYTES) {
        const uint8_t *found = memmem(*at, end - *at, mark, STAMP_LETTERS);
        if (!found || end - found < STAMP_BYTES) break;
        int64_t number = 0;
        const uint8_t *digit = found + STAMP_LETTERS, *last = found + STAMP_BYTES;
        while (digit < last && *digit >= '0' && *digit <= '9') number = number * 10 + *digit++ - '0';
        *at = digit;
        if (digit == last) return number;
    }
    *at = end;
    return -1;
}
