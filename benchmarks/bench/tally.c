/* What came of each message: who got it, how often, in which order and how soon. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

struct tally tally;

static int listeners;
static size_t row;              /* bytes of a message's row of `heard` */
static uint8_t *heard;          /* a bit for each message and connection */
static uint32_t *hearers;       /* of each message */
static uint64_t *sent_at;
static int64_t *rank_of;        /* a message's place in the order of the room; 0: nobody has it */
static int64_t next_rank;

/* Latencies in buckets of 1/32 of their power of two: 3 % exact, whatever their number. */
#define FINE 5
static uint64_t buckets[64 << FINE];

static int bucket_of(uint64_t ns) {
    if (ns < 1u << FINE) return (int)ns;
    int power = 63 - __builtin_clzll(ns);
    return (power - FINE + 1) << FINE | (int)(ns >> (power - FINE) & ((1 << FINE) - 1));
}

static double bucket_ns(int bucket) {
    int power = (bucket >> FINE) + FINE - 1;
    if (power < FINE) return bucket;
    return (double)((1ull << FINE | (bucket & ((1 << FINE) - 1))) << (power - FINE));
}

void tally_time(uint64_t ns) {
    buckets[bucket_of(ns)]++;
    tally.samples++;
}

double tally_quantile(double share) {
    uint64_t wanted = (uint64_t)(share * (double)tally.samples), seen = 0;
    for (int i = 0; i < 64 << FINE; i++)
        if ((seen += buckets[i]) > wanted) return bucket_ns(i) / 1e3;
    return 0;
}

void tally_begin(uint32_t first, uint32_t count, int listening) {
    tally = (struct tally){.first = first, .progress = now_ns()};
    listeners = listening;
    row = ((size_t)options.most + 7) / 8;
    free(heard), free(hearers), free(sent_at), free(rank_of);
    /* Zero pages are the kernel's until they are touched: what is not sent costs nothing. */
    heard = calloc(count && listening ? count : 1, row);
    hearers = calloc(count ? count : 1, sizeof *hearers);
    sent_at = calloc(count ? count : 1, sizeof *sent_at);
    rank_of = calloc(count ? count : 1, sizeof *rank_of);
    if (!heard || !hearers || !sent_at || !rank_of) fail("out of memory");
    next_rank = 1;
    memset(buckets, 0, sizeof buckets);
    for (int i = 0; i < options.most; i++) {
        clients[i].rank = clients[i].copies = 0;
        clients[i].waiting = 0;
    }
}

void tally_sent(uint32_t stamp, uint64_t at) {
    sent_at[stamp - tally.first] = at;
    tally.sent++;
}

static void deliver(struct client *client, uint32_t stamp, uint64_t at) {
    uint32_t i = stamp - tally.first;
    if (stamp < tally.first || i >= tally.sent) {
        tally.late++;
        return;
    }
    uint8_t *byte = heard + i * row + client->number / 8, bit = (uint8_t)(1 << client->number % 8);
    if (*byte & bit) {
        tally.doubled++;
        return;
    }
    *byte |= bit;
    tally.delivered++;
    tally.progress = at;
    tally_time(at - sent_at[i]);
    /* All read the same log: who has a message later than others still has it in their order. */
    if (!rank_of[i]) rank_of[i] = next_rank++;
    if (rank_of[i] < client->rank) tally.disordered++;
    client->rank = rank_of[i];
    if (++hearers[i] == (uint32_t)listeners) tally.complete++;
}

void tally_text(struct client *client, const uint8_t *text, size_t bytes, uint64_t at) {
    const uint8_t *place = text, *end = text + bytes;
    bool stamped = false;
    for (int64_t stamp; (stamp = next_stamp(&place, end)) >= 0; stamped = true) {
        if (client->stamp != (uint32_t)stamp) client->copies = 0;
        client->stamp = (uint32_t)stamp;
        if (++client->copies < (uint32_t)options.copies) continue;
        client->copies = 0;
        if (!tally.writing) deliver(client, (uint32_t)stamp, at);
    }
    if (stamped) tally.bytes += bytes;
}
