// The least that an open loop can cost on this system: due requests written to idle connections, answers read as they come, nothing
// recorded, nothing parsed. What it takes is the kernel's; a generator adds its own work to it. For `bench/load`.
//
// bare PORT RATE SECONDS CONNECTIONS: wakes for due requests no oftener than every 400 us, as Tollgate's pacer does.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WAKE_GAP_NS = 400000, EVENTS = 64 };

static const char REQUEST[] = "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int fail(const char *what) {
  perror(what);
  exit(1);
}

static int connected(int port, int epoll) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int one = 1, stream = socket(AF_INET, SOCK_STREAM, 0);
  if (stream < 0 || connect(stream, (struct sockaddr *)&address, sizeof address)) fail("connect");
  setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = stream};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, stream, &event)) fail("epoll_ctl");
  return stream;
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "usage: bare PORT RATE SECONDS CONNECTIONS\n"), 2;
  int connections = atoi(argv[4]), epoll = epoll_create1(0), idle = 0;
  int *streams = calloc(connections, sizeof *streams);
  for (; idle < connections; idle++) streams[idle] = connected(atoi(argv[1]), epoll);
  double gap = 1e9 / atof(argv[2]);
  long long start = now(), end = start + (long long)(atof(argv[3]) * 1e9), wake = start, sent = 0, done = 0;
  for (;;) {
    long long at = now();
    if (at >= end) break;
    if (at >= wake) {
      for (; idle > 0 && start + sent * gap <= at; sent++)
        if (write(streams[--idle], REQUEST, sizeof REQUEST - 1) < 0) fail("write");
      wake += WAKE_GAP_NS;
      if (wake < start + sent * gap) wake = start + sent * gap;
      at = now();
    }
    long long left = wake > at ? wake - at : 0;
    struct timespec time = {left / 1000000000, left % 1000000000};
    struct epoll_event events[EVENTS];
    int count = epoll_pwait2(epoll, events, EVENTS, &time, NULL);
    for (int i = 0; i < count; i++) {
      char answer[8192];
      if (read(events[i].data.fd, answer, sizeof answer) <= 0) fail("read");
      streams[idle++] = events[i].data.fd;
      done++;
    }
  }
  printf("completed %lld\n", done);
  return 0;
}
