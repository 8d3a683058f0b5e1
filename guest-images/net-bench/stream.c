/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.c - one TCP connection each way, for scripts/bench-net
 *
 *   stream send|receive ADDRESS PORT MIB
 *     connects, sends so many MiB and waits until they were taken, or receives to
 *     the end
 *   stream serve PORT-THAT-SENDS PORT-THAT-RECEIVES MIB
 *     the other end: sends to who connects to the first, then receives from who connects
 *     to the second, and prints the seconds that each took.  It listens when it comes
 *     back; the rest is done in the background.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char block[1 << 18];

static int send_all(int sock, long mib)
{
	for (long left = mib << 20; left > 0;) {
		ssize_t done = write(sock, block, sizeof(block));

		if (done <= 0)
			return -1;
		left -= done;
	}
	return shutdown(sock, SHUT_WR);
}

static int receive_all(int sock)
{
	ssize_t len;

	do
		len = read(sock, block, sizeof(block));
	while (len > 0);
	return len;
}

static int stream(int sock, const char *way, long mib)
{
	if (!strcmp(way, "send") && send_all(sock, mib))
		return -1;
	return receive_all(sock);
}

static int listen_at(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(sock, (struct sockaddr *)&at, sizeof(at)) || listen(sock, 1)) {
		perror("listen");
		exit(1);
	}
	return sock;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int serve(char **argv)
{
	int listening[] = { listen_at(argv[2]), listen_at(argv[3]) };
	double seconds[2];
	int sock;

	if (daemon(1, 1))
		return 1;
	for (int i = 0; i < 2; i++) {
		double begun;

		sock = accept(listening[i], NULL, NULL);
		begun = now();
		if (sock < 0 || stream(sock, i ? "receive" : "send", atol(argv[4]))) {
			perror("serve");
			return 1;
		}
		seconds[i] = now() - begun;
		if (i == 0)
			close(sock);
	}
	/* Before the other end learns that all has come, and ends. */
	dprintf(1, "stream: served: %.3f %.3f\n", seconds[0], seconds[1]);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int sock;

	if (argc == 5 && !strcmp(argv[1], "serve"))
		return serve(argv);
	if (argc != 5 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons(atoi(argv[3]));
	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(sock, (struct sockaddr *)&to, sizeof(to))) {
		perror("connect");
		return 1;
	}
	return stream(sock, argv[1], atol(argv[4])) ? 1 : 0;
}
