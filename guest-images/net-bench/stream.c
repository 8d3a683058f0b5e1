/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.c - usage: stream send|receive ADDRESS PORT MIB
 *
 * Connects, sends so many MiB and waits until they were taken, or receives to the end.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 5 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons(atoi(argv[3]));
	if (connect(sock, (struct sockaddr *)&to, sizeof(to))) {
		perror("connect");
		return 1;
	}
	if (!strcmp(argv[1], "send") && send_all(sock, atol(argv[4])))
		return 1;
	return receive_all(sock) ? 1 : 0;
}
