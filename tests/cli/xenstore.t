#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A running guest from outside: its name, its xenstore through Debian's
# xenstore-utils, requests to its helper; and guests that misuse their xenstore.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp;
use GuestRun;
use TestCommand;

my $runtime = File::Temp->newdir;
$ENV{XENEMU_RUNTIME_DIR} = "$runtime";

# What a guest of 32 MiB may cost beside its memory; sanitizers have their own.
my $most_private = 16 << 10;
my $sanitized = `nm '@{[program()]}'` =~ /__asan_init/;

# start_guest(WAY, OPTIONS...): a guest that has printed its first line
sub start_guest {
	my ($way, @options) = @_;
	my $guest = start_xenemu('run', '--kernel', guest('store'), '--memory', 32, '--machine',
		'qemu', '--timeout', 300, '--extra', $way, @options);
	$guest->expect(qr/ready/, 120) or diag $guest->messages;
	return $guest;
}

# tool(NAME, ARGS...): a tool of xenstore-utils with its output and status
sub tool {
	my ($guest, $name, @args) = @_;
	local $ENV{XENSTORED_PATH} = "$runtime/$guest/xenstore";
	my $run = GuestRun->start(command => [ "xenstore-$name", @args ], closed_input => 1);
	my $status = $run->finish(60);
	return { status => $status // 'timeout', out => $run->console, err => $run->messages };
}

sub says {
	my ($ran, $out, $name) = @_;
	is_deeply([ $ran->{status}, $ran->{out} ], [ 0, $out ], $name) or diag $ran->{err};
}

sub utils {
	my $guest = start_guest('idle', '--name', 'one');
	my $home = '/local/domain/1';

	says(tool('one', 'read', "$home/name"), "one\n", 'read');
	says(tool('one', 'read', 'name', "$home/domid"), "Domain-0\n1\n", 'read, relative: domain 0');
	is(tool('one', 'read', '/none')->{status}, 1, 'read what is not there');
	says(tool('one', 'write', '/t/a', 'value', '/t/b', ''), '', 'write');
	says(tool('one', 'list', '/t'), "a\nb\n", 'list');
	says(tool('one', 'exists', '/t/a'), '', 'exists');
	is(tool('one', 'exists', '/t/c')->{status}, 1, 'exists not');
	says(tool('one', 'chmod', '/t/a', 'r0', 'b1'), '', 'chmod');
	like(tool('one', 'ls', '-p', '/t')->{out}, qr/^a = "value"[ .]+\(r0,b1\)\nb = ""[ .]+\(n0\)\n\z/,
		'ls with permissions');
	says(tool('one', 'chmod', '-r', '/t', 'n0', 'r1'), '', 'chmod of a tree');
	like(tool('one', 'ls', '-f', '-p', '/t')->{out}, qr{^/t/a = "value" +\(n0,r1\)$}m,
		'ls with full paths');
	says(tool('one', 'rm', '/t/a'), '', 'rm');
	says(tool('one', 'list', '/t'), "b\n", 'it is gone');
	says(tool('one', 'rm', '-t', '/t/b'), '', 'rm with what is empty above');
	is(tool('one', 'exists', '/t')->{status}, 1, 'which is gone, too');
	large_directory();
	watch();
	like(tool('one', 'ls', '-f', '-p')->{out}, qr{^$home/store/port = "1" +\(n0,r1\)$}m,
		'ls of all');
	return $guest;
}

# More names than one message holds: libxenstore asks for parts.
sub large_directory {
	my @names = map { sprintf 'a-child-with-a-long-name-%04d', $_ } 1 .. 400;
	says(tool('one', 'write', map { ("/large/$_", '') } @names), '', 'write of many');
	says(tool('one', 'list', '/large'), join('', map { "$_\n" } @names), 'list of many');
	says(tool('one', 'rm', '/large'), '', 'rm of many');
}

sub watch {
	local $ENV{XENSTORED_PATH} = "$runtime/one/xenstore";
	my $watch = GuestRun->start(command => [ qw(xenstore-watch -n 3 /w) ]);
	ok($watch->expect(qr{^/w\n}m, 60), 'watch: its own path first');
	tool('one', 'write', '/w/x', 'v');
	ok($watch->expect(qr{^/w/x\n}m, 60), 'watch: what was written');
	tool('one', 'rm', '/w');
	ok($watch->expect(qr{^/w\n}m, 60), 'watch: what was removed');
	is($watch->finish(60), 0, 'watch: status');
}

sub names {
	my $one = shift;
	my $two = start_guest('idle', '--name', 'two');
	my ($third, $fourth) = map { start_guest('idle') } 1, 2;
	my @argv = ('run', '--kernel', guest('store'), '--machine', 'qemu', '--name', 'one');
	my @listed = map { (split ' ', $_)[0, 1, 2, -1] } split /\n/, xenemu('list')->{out};

	is_deeply(\@listed, [ qw(NAME PID MEMORY STATE), map { ($_->[0], $_->[1]->pid, 32, 'running') }
		[ 'guest', $third ], [ 'guest-2', $fourth ], [ 'one', $one ], [ 'two', $two ] ],
		'list: named and unnamed ones side by side');
	refuses(xenemu(@argv), qr/--name: a guest named one is running/, 'a name that is taken');
	is((stat "$runtime/two")[2] & 07777, 0700, 'the directory is for its user alone');

	kill KILL => $two->pid;
	is($two->finish(60), 128 + 9, 'a helper is killed');
	ok(-S "$runtime/two/xenstore", 'and leaves its sockets behind');
	refuses(xenemu('destroy', 'two'), qr/no guest named two is running/, 'nobody is there');
	$two = start_guest('idle', '--name', 'two');
	says(tool('two', 'read', '/local/domain/1/name'), "two\n", 'the name is taken over');

	is(xenemu('destroy', $_)->{status}, 0, "destroy $_") for qw(guest guest-2 one two);
	is($_->finish(60), 0, 'it ended') for $one, $two, $third, $fourth;
	like($two->messages, qr/^xenemu: two: stopped by a request to destroy it$/m, 'and says why');
	is_deeply([ glob "$runtime/*" ], [], 'nothing is left behind');
	is(xenemu('list')->{out} =~ tr/\n//, 1, 'nothing is listed');
}

sub requests {
	my $guest = start_guest('serve', '--name', 'web');
	$guest->expect(qr/watching/, 60);
	is(xenemu('shutdown', '--wait', 'web')->{status}, 0, 'shutdown');
	ok(!-e "$runtime/web/control", 'with --wait, it has ended then');
	is($guest->finish(60), 0, 'exit status 0');
	like($guest->console, qr/^asked: poweroff$/m, 'what the guest was asked');

	$guest = start_guest('serve', '--name', 'web');
	$guest->expect(qr/watching/, 60);
	is(xenemu('reboot', 'web')->{status}, 0, 'reboot');
	is($guest->finish(60), 3, 'exit status 3');
	like($guest->console, qr/^asked: reboot$/m, 'what the guest was asked');

	$guest = start_guest('ignore', '--name', 'web');
	$guest->expect(qr/watching/, 60);
	is(xenemu('shutdown', 'web')->{status}, 0, 'shutdown is over when it is acknowledged');
	says(tool('web', 'read', '/local/domain/1/control/shutdown'), "\n", 'which empties the node');
	is(xenemu('destroy', '--wait', 'web')->{status}, 0, 'destroy');
	is($guest->finish(60), 0, 'exit status 0');
	refuses(xenemu('shutdown'), qr/give NAME/, 'shutdown without a name');
	refuses(xenemu('shutdown', 'a', 'b'), qr/unexpected argument `b'/, 'shutdown of two');
}

# private_kib(PID): memory that is the helper's alone, without the guest's
sub private_kib {
	my ($pid) = @_;
	return read_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m ? $1 : undef;
}

# A guest does its worst, and idles: the helper is as it was.
sub hostile {
	my ($way, $console, $messages) = @_;
	my $guest = start_guest($way, '--name', 'bad');
	ok($guest->expect(qr/idle/, 120), "$way: the guest has done it") or diag $guest->messages;
	like($guest->console, $console, "$way: what it got") or diag $guest->console;
	says(tool('bad', 'read', '/local/domain/1/name'), "bad\n", "$way: the store works for others");
	SKIP: {
		skip 'sanitizers need memory of their own', 1 if $sanitized;
		cmp_ok(private_kib($guest->pid), '<', $most_private, "$way: KiB of the helper");
	}
	is(xenemu('destroy', '--wait', 'bad')->{status}, 0, "$way: destroy");
	is($guest->finish(60), 0, "$way: exit status");
	like($guest->messages, $messages, "$way: messages") if $messages;
}

SKIP: {
	skip 'xenstore-utils is not installed', 1
		unless grep { -x "$_/xenstore-ls" } split /:/, $ENV{PATH};
	names(utils());
	requests();
	hostile('nodes', qr/^nodes: 9\d\d of 10000 accepted, then ENOSPC\nstill served$/m);
	hostile('transactions', qr/^transactions: 11 of 10000 accepted, then ENOSPC\nstill served$/m);
	hostile('watches', qr/^watches: 129 of 10000 accepted\nring full$/m);
	hostile('lengths', qr/^lengths: 1368 replies\n.*\nstill served$/m);
	hostile('too-long', qr/^sent$/m, qr/connection is closed: .* a message that is too long$/m);
	hostile('far-ahead', qr/^sent$/m, qr/connection is closed: .* request index is far ahead$/m);
}
done_testing;
