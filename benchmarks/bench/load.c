/*
 * load: a load generator for WebSocket servers with rooms. One thread, epoll, no dependencies.
 *
 *     cc -O2 -o load load.c client.c tally.c text.c
 *
 *     load --port P [--path /x] [--header 'K: V']... [--step SAY WAIT]... [--message TEXT]
 *          [--copies N] [--ack TEXT] [--values FILE] [--addresses K] [--most N] [--engine-io]
 *
 * Each connection upgrades, then goes through the steps in turn: it says SAY and waits for a
 * text that holds WAIT; either may be empty. Near ends are 127.0.0.1 … 127.0.0.K in turn. In
 * templates %C is the number of the connection, %V its line of FILE, %S the stamp of the message,
 * %P padding, %U a new UUID, %% a per cent sign.
 *
 * Then it takes commands, one a line, on standard input, and answers each by a line of JSON. In
 * between it goes on reading, and answers pings. Times are microseconds unless a name says
 * otherwise.
 *
 *     open N AT_ONCE PATIENT  until N connections are through the steps, so many under way at once;
 *                             PATIENT 1: who is refused or cut before comes again 1 s later
 *     send COUNT MS WINDOW SENDERS
 *                             COUNT messages, or as many as go in MS milliseconds (0: no bound),
 *                             from the first SENDERS connections in turn. Closed loop: at most
 *                             WINDOW messages that not everybody has got. Ends when all have come,
 *                             or nothing has for 3 s: what is missing then is lost.
 *     write MS WRITERS WINDOW each of the first WRITERS connections has WINDOW messages under way:
 *                             for each text of --ack that comes it sends again, for MS
 *                             milliseconds; then the last replies are waited for
 *     pad BYTES               the length of %P from now on (184: with stamp and blank 200)
 *     mute                    the last connection that reads does so no more; tells its address
 *     wait MS                 only listen
 *     quit
 *
 * A delivery is the stamp of a message of this `send`, `--copies` times running on one connection;
 * so several messages in one frame, and several frames in one segment, are counted right.
 * `doubled`: the same connection had it before. `disordered`: a connection got it after one that
 * came later in the order of the room, which is that in which anybody got them first (tells
 * nothing where deliveries were lost). `late`: stamps of an earlier `send`.
 */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STALL_NS 15000000000ull
#define OPEN_STALL_NS 20000000000ull

struct options options = {.addresses = 1, .copies = 1, .most = 10000, .path = "/", .message = "%S %P"};
int padding = 184;
struct client *clients;
static int started;              /* connections that were ever begun */
static uint32_t next_number = 1; /* of the next message; never used again */
static char text[TEXT_BYTES];

uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static uint64_t own_cpu_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

void fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    exit(2);
}

void *enlarged(void *memory, size_t bytes) {
    memory = realloc(memory, bytes);
    if (!memory) fail("out of memory");
    return memory;
}

static void say_message(struct client *client, uint64_t at) {
    uint32_t stamp = next_number++;
    size_t bytes = expanded(text, sizeof text, options.message, client->number, stamp);
    tally_sent(stamp, at);
    say_text(client, text, bytes);
}

/* --- commands ----------------------------------------------------------------------------- */

/* Those who were refused, when their time has come. */
static void start_again(int at_once) {
    uint64_t now = now_ns();
    for (int i = 0; i < started && counts.opening < at_once; i++)
        if (clients[i].stage == UNUSED && clients[i].pause <= now) start_client(&clients[i]);
}

static void open_all(int wanted, int at_once, bool patient) {
    uint64_t began = now_ns(), moved = began;
    int before = counts.open, closed = counts.closed, last = -1;
    if (wanted > options.most) fail("--most is %d", options.most);
    tally_begin(next_number, 0, 0);
    counts.patient = patient;
    counts.again = 0;
    while (counts.open + counts.closed < wanted) {
        while (counts.opening < at_once && started < wanted) start_client(&clients[started++]);
        if (counts.again) start_again(at_once);
        turn(50);
        uint64_t now = now_ns();
        if (counts.open + counts.closed != last) moved = now;
        last = counts.open + counts.closed;
        if (now - moved > OPEN_STALL_NS) break;
    }
    counts.patient = false;
    printf("{\"open\":%d,\"opened\":%d,\"failed\":%d,\"again\":%d,\"seconds\":%.4f,"
           "\"p50\":%.1f,\"p99\":%.1f}\n",
           counts.open, counts.open - before, counts.closed - closed + counts.opening, counts.again,
           (double)(now_ns() - began) / 1e9, tally_quantile(.5), tally_quantile(.99));
}

static void send_all(uint32_t count, uint64_t ms, uint32_t window, int senders) {
    int listeners = counts.open - counts.muted;
    if (listeners < 1 || senders < 1) fail("nobody is connected");
    tally_begin(next_number, count, listeners);
    uint64_t began = now_ns(), end = ms ? began + ms * 1000000 : UINT64_MAX, cpu = own_cpu_ns();
    uint64_t frames = counts.frames;
    int sender = 0;
    for (bool sending = true;;) {
        uint64_t now = now_ns();
        sending = sending && tally.sent < count && now < end;
        while (sending && tally.sent < count && tally.sent - tally.complete < window) {
            struct client *client = &clients[sender++ % senders];
            if (client->stage != OPEN || client->mute) continue;
            say_message(client, now_ns());
        }
        if (!sending && tally.complete == tally.sent) break;
        if (now > tally.progress && now - tally.progress > STALL_NS) break;
        if (counts.open - counts.muted < 1) break;
        turn(20);
    }
    if (!tally.delivered) tell_last_heard();
    uint64_t lost = (uint64_t)tally.sent * (uint64_t)listeners - tally.delivered;
    double delivered = tally.delivered ? (double)tally.delivered : 1;
    printf("{\"sent\":%u,\"listeners\":%d,\"delivered\":%llu,\"lost\":%llu,\"doubled\":%llu,"
           "\"disordered\":%llu,\"late\":%llu,\"seconds\":%.4f,\"p50\":%.1f,\"p99\":%.1f,"
           "\"bytes\":%.1f,\"frames\":%.3f,\"own_cpu\":%.3f,\"open\":%d}\n",
           tally.sent, listeners, (unsigned long long)tally.delivered, (unsigned long long)lost,
           (unsigned long long)tally.doubled, (unsigned long long)tally.disordered,
           (unsigned long long)tally.late, (double)(tally.progress - began) / 1e9,
           tally_quantile(.5), tally_quantile(.99), (double)tally.bytes / delivered,
           (double)(counts.frames - frames) / delivered, (double)(own_cpu_ns() - cpu) / 1e3 / delivered,
           counts.open);
}

static void ask(struct client *client, uint64_t now) {
    if (!client->asked) client->asked = enlarged(NULL, MOST_WINDOW * sizeof *client->asked);
    client->asked[(client->first_asked + client->waiting++) % MOST_WINDOW] = now;
    say_message(client, now);
}

static void write_all(uint64_t ms, int writers, uint32_t window) {
    if (window < 1 || window > MOST_WINDOW) fail("a window of 1 to %d", MOST_WINDOW);
    if (!options.ack) fail("write needs --ack");
    if (writers > counts.open) fail("only %d are connected", counts.open);
    /* Stamps here only tell messages apart: one a microsecond is more than can be sent. */
    tally_begin(next_number, (uint32_t)(ms * 1000), 0);
    tally.writing = true;
    uint64_t began = now_ns(), end = began + ms * 1000000, cpu = own_cpu_ns();
    uint32_t unanswered;
    do {
        uint64_t now = now_ns();
        unanswered = 0;
        for (int i = 0; i < writers; i++) {
            struct client *client = &clients[i];
            while (client->waiting < window && client->stage == OPEN && now < end) ask(client, now);
            unanswered += client->waiting;
        }
        if (now > tally.progress && now - tally.progress > STALL_NS) break;
        if (unanswered) turn(20);
    } while (unanswered || now_ns() < end);
    if (!tally.replies) tell_last_heard();
    printf("{\"sent\":%u,\"replies\":%llu,\"unanswered\":%u,\"seconds\":%.4f,\"p50\":%.1f,"
           "\"p99\":%.1f,\"own_cpu\":%.3f,\"open\":%d}\n",
           tally.sent, (unsigned long long)tally.replies, unanswered,
           (double)(tally.progress - began) / 1e9, tally_quantile(.5), tally_quantile(.99),
           (double)(own_cpu_ns() - cpu) / 1e3 / (tally.replies ? (double)tally.replies : 1),
           counts.open);
}

static void listen_for(uint64_t ms) {
    uint64_t end = now_ns() + ms * 1000000, frames = counts.frames, bytes = counts.bytes;
    for (uint64_t now; (now = now_ns()) < end;) turn((int)((end - now) / 1000000) + 1);
    printf("{\"frames\":%llu,\"bytes\":%llu,\"open\":%d}\n",
           (unsigned long long)(counts.frames - frames), (unsigned long long)(counts.bytes - bytes),
           counts.open);
}

static void mute_last(void) {
    int i = started - 1;
    while (i >= 0 && (clients[i].stage != OPEN || clients[i].mute)) i--;
    if (i < 0) fail("nobody reads");
    struct sockaddr_in here;
    socklen_t bytes = sizeof here;
    getsockname(clients[i].fd, (struct sockaddr *)&here, &bytes);
    make_mute(&clients[i]);
    printf("{\"address\":\"%s\",\"port\":%d}\n", inet_ntoa(here.sin_addr), ntohs(here.sin_port));
}

static void obey(const char *line) {
    int a, b, c;
    unsigned count, window;
    unsigned long long ms;
    if (sscanf(line, "open %d %d %d", &a, &b, &c) == 3) open_all(a, b, c);
    else if (sscanf(line, "send %u %llu %u %d", &count, &ms, &window, &a) == 4)
        send_all(count, ms, window, a);
    else if (sscanf(line, "write %llu %d %u", &ms, &a, &window) == 3) write_all(ms, a, window);
    else if (sscanf(line, "wait %llu", &ms) == 1) listen_for(ms);
    else if (sscanf(line, "pad %d", &padding) == 1) printf("{}\n");
    else if (!strcmp(line, "mute")) mute_last();
    else if (!strcmp(line, "quit")) exit(0);
    else fail("no such command: %s", line);
    fflush(stdout);
}

/* --- from here to there ------------------------------------------------------------------- */

static void read_values(const char *name) {
    FILE *file = fopen(name, "r");
    char *line = NULL;
    size_t room = 0;
    if (!file) fail("cannot read %s", name);
    for (ssize_t n; (n = getline(&line, &room, file)) > 0; line = NULL, room = 0) {
        if (line[n - 1] == '\n') line[n - 1] = 0;
        options.values = enlarged(options.values, ((size_t)options.value_count + 1) * sizeof line);
        options.values[options.value_count++] = line;
    }
    fclose(file);
}

static const char *word(char ***words) {
    if (!*++*words) fail("an option lacks its value");
    return **words;
}

static void read_options(char **words) {
    while (*++words) {
        const char *name = *words;
        if (!strcmp(name, "--port")) options.port = atoi(word(&words));
        else if (!strcmp(name, "--path")) options.path = word(&words);
        else if (!strcmp(name, "--message")) options.message = word(&words);
        else if (!strcmp(name, "--ack")) options.ack = word(&words);
        else if (!strcmp(name, "--copies")) options.copies = atoi(word(&words));
        else if (!strcmp(name, "--addresses")) options.addresses = atoi(word(&words));
        else if (!strcmp(name, "--most")) options.most = atoi(word(&words));
        else if (!strcmp(name, "--values")) read_values(word(&words));
        else if (!strcmp(name, "--engine-io")) options.engine_io = true;
        else if (!strcmp(name, "--header") && options.headers < MOST_HEADERS)
            options.header[options.headers++] = word(&words);
        else if (!strcmp(name, "--step") && options.steps < MOST_STEPS) {
            options.say[options.steps] = word(&words);
            options.wait[options.steps++] = word(&words);
        } else fail("%s: no such option, or too many of them", name);
    }
    if (!options.port) fail("--port is needed");
    if (options.addresses < 1 || options.addresses > 250 || options.most < 1 || options.copies < 1)
        fail("a number is out of its range");
}

int main(int count, char **words) {
    (void)count;
    read_options(words);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    clients = calloc((size_t)options.most, sizeof *clients);
    if (!clients) fail("out of memory");
    for (int i = 0; i < options.most; i++) clients[i].number = i;
    poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    char line[256];
    size_t have = 0;
    for (;;) {
        turn(-1);
        struct pollfd commands = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&commands, 1, 0) < 1) continue;
        ssize_t got = read(STDIN_FILENO, line + have, sizeof line - 1 - have);
        if (got <= 0) return 0;
        have += (size_t)got;
        line[have] = 0;
        char *end = strchr(line, '\n');
        if (!end) continue;
        *end = 0;
        obey(line);
        have = 0;
    }
}
