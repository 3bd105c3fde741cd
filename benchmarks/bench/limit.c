/*
 * limit: the least that a server can do on Linux to tell a room of something. An epoll loop
 * answers each message by one ready-made frame, given to each connection by one send() call.
 *
 *     limit PORT BYTES       listens on 127.0.0.1; the frame's text is BYTES long
 *
 * What makes it a fair limit:
 * - The frame is as long as the event that `tertulia serve` sends for the same message (the run
 *   asks a server for one and measures it), so the kernel copies as many bytes for both.
 * - It does what nobody can leave out: it waits for sockets, reads the message, makes the frame
 *   once a message, and hands it to the kernel once a connection. CPU time is then almost all
 *   the kernel's: the loopback's TCP is worked in the sender's send().
 * - It does not: check who speaks, parse JSON, keep anything, reply to the sender, bound what
 *   waits for a slow reader, ping. A connection whose buffer is full is closed, not waited for.
 * - It is no limit for many messages at once: a server that joins several in one send() can be
 *   below it. It gives every message a call of its own on purpose, as most servers do.
 * - One thread, as one process of ours has one loop. io_uring or MSG_ZEROCOPY are not used: for
 *   some hundred bytes a socket they do not do the TCP work any cheaper.
 *
 * Handshakes are answered for the sample key of RFC 6455, which the load generator uses.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define STAMP_BYTES 15 /* as in load.h */
#define MOST 65536

struct peer {
    int fd, place; /* in `room` */
    int upgraded;
};
static struct peer peers[MOST], *room[MOST];
static int members;
static uint8_t input[1 << 16], frame[(1 << 16) + 4];
static size_t frame_bytes, text_at;

/* A text frame of the wanted length, all of it ready but the stamp. */
static void make_frame(size_t bytes) {
    frame[0] = 0x81;
    if (bytes < 126) {
        frame[1] = (uint8_t)bytes;
        text_at = 2;
    } else {
        frame[1] = 126;
        frame[2] = (uint8_t)(bytes >> 8);
        frame[3] = (uint8_t)bytes;
        text_at = 4;
    }
    memset(frame + text_at, '.', bytes);
    frame_bytes = text_at + bytes;
}

static void leave(struct peer *peer) {
    close(peer->fd);
    peer->fd = -1;
    if (peer->upgraded) {
        room[peer->place] = room[--members];
        room[peer->place]->place = peer->place;
    }
    peer->upgraded = 0;
}

static void tell_all(void) {
    for (int i = members - 1; i >= 0; i--)
        if (send(room[i]->fd, frame, frame_bytes, MSG_NOSIGNAL) != (ssize_t)frame_bytes) {
            fprintf(stderr, "limit: a connection's buffer was full; it is closed\n");
            leave(room[i]);
        }
}

/* Small masked frames, whole, as the load generator writes them: a text begins with its stamp. */
static void hear(struct peer *peer, size_t n) {
    for (uint8_t *at = input, *end = input + n; end - at >= 6;) {
        size_t bytes = at[1] & 127, head = 6;
        if (bytes == 126) {
            bytes = (size_t)at[2] << 8 | at[3];
            head = 8;
        }
        if ((at[0] & 15) == 8 || head + bytes > (size_t)(end - at)) {
            leave(peer);
            return;
        }
        if ((at[0] & 15) == 1 && bytes >= STAMP_BYTES) {
            for (int i = 0; i < STAMP_BYTES; i++)
                frame[text_at + i] = at[head + i] ^ at[head - 4 + (i & 3)];
            tell_all();
        }
        at += head + bytes;
    }
}

static void upgrade(struct peer *peer) {
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\n"
                                 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    peer->upgraded = 1;
    peer->place = members;
    room[members++] = peer;
    send(peer->fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
}

static int listening(int port) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) || listen(fd, 4096)) {
        perror("limit");
        exit(1);
    }
    return fd;
}

static void accept_all(int door, int poller) {
    int one = 1;
    for (int fd; (fd = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (fd >= MOST) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        peers[fd] = (struct peer){.fd = fd};
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int count, char **words) {
    int bytes = count == 3 ? atoi(words[2]) : 0;
    if (bytes < STAMP_BYTES || bytes > 65000) {
        fprintf(stderr, "usage: limit PORT BYTES\n");
        return 2;
    }
    make_frame((size_t)bytes);
    int door = listening(atoi(words[1])), poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = door}, ready[512];
    epoll_ctl(poller, EPOLL_CTL_ADD, door, &event);
    for (;;) {
        int n = epoll_wait(poller, ready, 512, -1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd == door) {
                accept_all(door, poller);
                continue;
            }
            struct peer *peer = &peers[ready[i].data.fd];
            ssize_t got = recv(peer->fd, input, sizeof input, 0);
            if (got <= 0)
                leave(peer);
            else if (peer->upgraded)
                hear(peer, (size_t)got);
            else
                upgrade(peer);
        }
    }
}
