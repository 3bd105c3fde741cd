/* A connection: opened, upgraded, taken through its steps, then listened to. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct counts counts;
int poller;
static uint8_t input[READ_BYTES];
/* What the first connection heard last: it tells why a server delivers nothing. */
static char last_heard[400];
static size_t last_bytes;

static void watch(struct client *client, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = client};
    epoll_ctl(poller, how, client->fd, &event);
}

static void end_client(struct client *client, const char *why) {
    static int told;
    if (client->stage == CLOSED) return;
    if (told++ < 3) fprintf(stderr, "load: connection %d ended: %s\n", client->number, why);
    if (client->stage != OPEN && counts.patient) {
        close(client->fd);
        counts.opening--;
        counts.again++;
        client->stage = UNUSED;
        client->rest_bytes = client->unsent_bytes = 0;
        client->pause = now_ns() + AGAIN_NS;
        return;
    }
    if (client->stage == OPEN) counts.open--;
    else counts.opening--;
    counts.closed++;
    client->stage = CLOSED;
    close(client->fd);
}

/* --- saying ------------------------------------------------------------------------------- */

static void put(struct client *client, const void *data, size_t bytes) {
    ssize_t taken = 0;
    if (!client->unsent_bytes) {
        taken = send(client->fd, data, bytes, MSG_NOSIGNAL);
        if (taken == (ssize_t)bytes) return;
        if (taken < 0 && errno != EAGAIN) {
            end_client(client, strerror(errno));
            return;
        }
        if (taken < 0) taken = 0;
        watch(client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    bytes -= (size_t)taken;
    client->unsent = enlarged(client->unsent, client->unsent_bytes + bytes);
    memcpy(client->unsent + client->unsent_bytes, (const char *)data + taken, bytes);
    client->unsent_bytes += bytes;
}

static void put_rest(struct client *client) {
    ssize_t taken = send(client->fd, client->unsent, client->unsent_bytes, MSG_NOSIGNAL);
    if (taken <= 0) return;
    client->unsent_bytes -= (size_t)taken;
    memmove(client->unsent, client->unsent + taken, client->unsent_bytes);
    if (!client->unsent_bytes) watch(client, EPOLL_CTL_MOD, EPOLLIN);
}

static void put_frame(struct client *client, int opcode, const uint8_t *data, size_t bytes) {
    static uint8_t frame[TEXT_BYTES + 16];
    static uint32_t key = 0x9E3779B9;
    size_t n = 2;
    frame[0] = (uint8_t)(0x80 | opcode);
    if (bytes < 126) {
        frame[1] = (uint8_t)(0x80 | bytes);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(bytes >> 8);
        frame[3] = (uint8_t)bytes;
        n = 4;
    }
    key = key * 1664525 + 1013904223;
    uint8_t *mask = memcpy(frame + n, &key, 4), *out = mask + 4;
    for (size_t i = 0; i < bytes; i++) out[i] = data[i] ^ mask[i & 3];
    put(client, frame, n + 4 + bytes);
}

void say_text(struct client *client, const char *text, size_t bytes) {
    put_frame(client, 1, (const uint8_t *)text, bytes);
}

/* --- steps -------------------------------------------------------------------------------- */

/* Say what is to be said, up to the next step that waits for something. */
static void next_step(struct client *client) {
    static char text[TEXT_BYTES];
    for (; client->step < options.steps; client->step++) {
        const char *say = options.say[client->step];
        if (*say) say_text(client, text, expanded(text, sizeof text, say, client->number, -1));
        if (client->stage != STEPPING) return;
        if (*options.wait[client->step]) return;
    }
    client->stage = OPEN;
    counts.opening--;
    counts.open++;
    tally_time(now_ns() - client->began);
}

static bool holds(const uint8_t *text, size_t bytes, const char *part) {
    return memmem(text, bytes, part, strlen(part)) != NULL;
}

/* --- hearing ------------------------------------------------------------------------------ */

static void hear_text(struct client *client, const uint8_t *text, size_t bytes, uint64_t at) {
    counts.frames++;
    counts.bytes += bytes;
    if (!client->number) {
        last_bytes = bytes < sizeof last_heard ? bytes : sizeof last_heard;
        memcpy(last_heard, text, last_bytes);
    }
    if (options.engine_io && bytes == 1 && *text == '2') {
        say_text(client, "3", 1);
        return;
    }
    if (client->stage == STEPPING && holds(text, bytes, options.wait[client->step])) {
        client->step++;
        next_step(client);
        return;
    }
    if (client->waiting && options.ack && holds(text, bytes, options.ack)) {
        /* The sends of one connection are answered in their order. */
        tally_time(at - client->asked[client->first_asked++ % MOST_WINDOW]);
        client->waiting--;
        tally.replies++;
        tally.progress = at;
    }
    tally_text(client, text, bytes, at);
}

static void hear_close(struct client *client, const uint8_t *data, size_t bytes) {
    char why[160];
    int code = bytes >= 2 ? data[0] << 8 | data[1] : 0, length = bytes > 2 ? (int)bytes - 2 : 0;
    snprintf(why, sizeof why, "closed by the server: %d %.*s", code, length, (const char *)data + 2);
    put_frame(client, 8, data, bytes);
    end_client(client, why);
}

/* Every whole frame in what came; how many bytes they were. */
static size_t hear_frames(struct client *client, const uint8_t *data, size_t bytes, uint64_t at) {
    size_t used = 0;
    while (bytes - used >= 2 && (client->stage == STEPPING || client->stage == OPEN)) {
        const uint8_t *frame = data + used;
        size_t head = 2, length = frame[1] & 127;
        if (length == 126) {
            if (bytes - used < 4) break;
            length = (size_t)frame[2] << 8 | frame[3];
            head = 4;
        } else if (length == 127) {
            if (bytes - used < 10) break;
            length = 0;
            for (int i = 2; i < 10; i++) length = length << 8 | frame[i];
            head = 10;
        }
        if (bytes - used - head < length || bytes - used < head) break;
        used += head + length;
        switch (frame[0]) {
        case 0x81:
        case 0x82: hear_text(client, frame + head, length, at); break;
        case 0x88: hear_close(client, frame + head, length); break;
        case 0x89: put_frame(client, 10, frame + head, length); break;
        case 0x8A: break;
        default: fail("a frame of a kind that is not counted: its first byte is %02x", frame[0]);
        }
    }
    return used;
}

static size_t hear_answer(struct client *client, const uint8_t *data, size_t bytes) {
    const uint8_t *end = memmem(data, bytes, "\r\n\r\n", 4);
    if (!end) return 0;
    if (bytes < 12 || memcmp(data + 8, " 101", 4)) {
        char why[120];
        snprintf(why, sizeof why, "no upgrade: %.*s", (int)(bytes < 90 ? bytes : 90), (char *)data);
        end_client(client, why);
        return bytes;
    }
    client->stage = STEPPING;
    next_step(client);
    return (size_t)(end + 4 - data);
}

static void hear(struct client *client) {
    size_t kept = client->rest_bytes;
    if (kept == sizeof input) fail("a frame is longer than %d bytes", READ_BYTES);
    if (kept) memcpy(input, client->rest, kept);
    ssize_t got = recv(client->fd, input + kept, sizeof input - kept, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) end_client(client, got ? strerror(errno) : "cut");
        return;
    }
    size_t bytes = kept + (size_t)got, used = 0;
    uint64_t at = now_ns();
    if (client->stage == UPGRADING) used = hear_answer(client, input, bytes);
    if (client->stage == STEPPING || client->stage == OPEN)
        used += hear_frames(client, input + used, bytes - used, at);
    if (client->stage == UNUSED || client->stage == CLOSED) return;
    client->rest_bytes = bytes - used;
    if (client->rest_bytes > client->rest_room) {
        client->rest_room = client->rest_bytes * 2;
        client->rest = enlarged(client->rest, client->rest_room);
    }
    if (client->rest_bytes) memcpy(client->rest, input + used, client->rest_bytes);
}

/* --- opening ------------------------------------------------------------------------------ */

void start_client(struct client *client) {
    int one = 1;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0) fail("connection %d: %s", client->number, strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    struct sockaddr_in here = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};
    uint32_t last = 1 + (uint32_t)(client->number % options.addresses);
    here.sin_addr.s_addr = htonl((127u << 24) + last);
    if (bind(client->fd, (struct sockaddr *)&here, sizeof here))
        fail("no address 127.0.0.%u here: %s", last, strerror(errno));
    there.sin_port = htons((uint16_t)options.port);
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->stage = CONNECTING;
    client->step = 0;
    if (!client->pause) client->began = now_ns();
    counts.opening++;
    watch(client, EPOLL_CTL_ADD, EPOLLOUT);
    if (connect(client->fd, (struct sockaddr *)&there, sizeof there) && errno != EINPROGRESS)
        end_client(client, strerror(errno));
}

static void ask_upgrade(struct client *client) {
    static char request[TEXT_BYTES];
    size_t n = (size_t)sprintf(request, "GET ");
    n += expanded(request + n, sizeof request - n, options.path, client->number, -1);
    /* The key is the sample of RFC 6455. */
    n += (size_t)sprintf(request + n,
                         " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                         options.port);
    for (int i = 0; i < options.headers; i++) {
        n += expanded(request + n, sizeof request - n, options.header[i], client->number, -1);
        n += (size_t)sprintf(request + n, "\r\n");
    }
    n += (size_t)sprintf(request + n, "\r\n");
    client->stage = UPGRADING;
    watch(client, EPOLL_CTL_MOD, EPOLLIN);
    put(client, request, n);
}

static void connected(struct client *client) {
    int error = 0;
    socklen_t bytes = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
    if (error) end_client(client, strerror(error));
    else ask_upgrade(client);
}

void tell_last_heard(void) {
    fprintf(stderr, "load: the first connection heard last: %.*s\n", (int)last_bytes, last_heard);
}

void make_mute(struct client *client) {
    int small = 4096;
    setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    epoll_ctl(poller, EPOLL_CTL_DEL, client->fd, NULL);
    client->mute = true;
    counts.muted++;
}

void turn(int milliseconds) {
    static struct epoll_event ready[1024];
    int n = epoll_wait(poller, ready, 1024, milliseconds);
    for (int i = 0; i < n; i++) {
        struct client *client = ready[i].data.ptr;
        if (!client || client->stage == CLOSED || client->stage == UNUSED)
            continue; /* NULL: a command waits */
        if (client->stage == CONNECTING) {
            connected(client);
            continue;
        }
        if (ready[i].events & EPOLLOUT && client->unsent_bytes) put_rest(client);
        if (ready[i].events & ~(uint32_t)EPOLLOUT) hear(client);
    }
}
