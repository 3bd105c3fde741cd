/* What the parts of the load generator share; load.c is its manual. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_STEPS 16
#define MOST_HEADERS 16
/* Messages that one writer may have under way. */
#define MOST_WINDOW 64
#define STAMP_LETTERS 4
#define STAMP_DIGITS 11
#define STAMP_BYTES (STAMP_LETTERS + STAMP_DIGITS)
/* The longest text that is sent, and what is read from a socket at once. */
#define TEXT_BYTES (64 << 10)
#define READ_BYTES (256 << 10)
/* After which one who was refused comes again. */
#define AGAIN_NS 1000000000ull

enum stage { UNUSED, CONNECTING, UPGRADING, STEPPING, OPEN, CLOSED };

struct client {
    int fd, number;
    enum stage stage;
    int step;
    bool mute;               /* never reads again */
    uint8_t *rest;           /* the beginning of a frame that has not wholly come */
    size_t rest_bytes, rest_room;
    uint8_t *unsent;         /* what the socket did not take */
    size_t unsent_bytes;
    uint64_t began;          /* ns: of the opening */
    uint64_t pause;          /* ns: not begun again before; 0: it was never refused */
    uint64_t *asked;         /* ns: of the messages that wait for their replies, a ring */
    uint32_t first_asked, waiting;
    uint32_t stamp, copies;  /* the stamp that was read last, and how often running */
    int64_t rank;            /* of the last delivery, in the order of the room */
};

/* What the command line says; it does not change. */
struct options {
    int port, addresses, copies, most, headers, steps;
    const char *path, *message, *ack;
    const char *header[MOST_HEADERS], *say[MOST_STEPS], *wait[MOST_STEPS];
    char **values;
    int value_count;
    bool engine_io;
};
extern struct options options;
extern int padding;
extern struct client *clients;

/* load.c */
uint64_t now_ns(void);
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void *enlarged(void *memory, size_t bytes);

/* text.c: expands the %-signs of a template; its length. `stamp` < 0: there is none. */
size_t expanded(char *out, size_t room, const char *from, int number, int64_t stamp);
/* The number of the next stamp at or after *at, which is moved behind it; -1: none. */
int64_t next_stamp(const uint8_t **at, const uint8_t *end);

/* client.c: connections */
struct counts {
    int opening, open, closed, muted, again;
    bool patient;                /* who is refused comes again */
    uint64_t frames, bytes;      /* received: text frames and their payload */
};
extern struct counts counts;
void start_client(struct client *client);
void say_text(struct client *client, const char *text, size_t bytes);
void make_mute(struct client *client);
void tell_last_heard(void);
void turn(int milliseconds);
extern int poller;

/* tally.c: what is counted of deliveries and replies */
void tally_begin(uint32_t first, uint32_t most, int listeners);
void tally_sent(uint32_t stamp, uint64_t at);
void tally_text(struct client *client, const uint8_t *text, size_t bytes, uint64_t at);
void tally_time(uint64_t ns);
double tally_quantile(double share);
struct tally {
    uint32_t first, sent, complete;
    uint64_t delivered, doubled, disordered, late, bytes;
    uint64_t progress;           /* ns: when the last delivery or reply came */
    uint64_t replies, samples;
    bool writing;                /* the replies count, not the deliveries */
};
extern struct tally tally;

#endif
