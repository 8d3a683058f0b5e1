#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Disks that come and go while a guest runs, as their user sees it: what is attached, why
# something is not, and what it means when nobody answers.  The guest takes no notice of
# them (tests/guest/disk.t has one that does).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Cwd 'abs_path';
use File::Temp;
use GuestRun;
use IO::Select;
use IO::Socket::UNIX;
use TestCommand;

my $dir = File::Temp->newdir;
my $silent = "nbd+unix:///?socket=$dir/silent";
my $program = abs_path(program());

# start_guest(WAY, NAME): a guest that has printed its first line
sub start_guest {
	my ($way, $name) = @_;
	my $guest = start_xenemu('run', '--kernel', abs_path(guest('store')), '--memory', 32,
		'--machine', 'qemu', '--timeout', 600, '--extra', $way, '--name', $name);
	$guest->expect(qr/ready/, 120) or diag $guest->messages;
	return $guest;
}

# ask(ARGS...): the same as xenemu(), begun but not waited for
sub ask { return GuestRun->start(command => [ $program, @_ ], closed_input => 1) }

# answers(RUN, STATUS, PATTERN, NAME): what became of it
sub answers {
	my ($run, $status, $pattern, $name) = @_;
	is($run->finish(120), $status, "$name: status");
	like($run->console . $run->messages, $pattern, $name);
}

sub image {
	my ($name, $mib) = @_;
	write_file("$dir/$name", '');
	truncate "$dir/$name", $mib << 20 or die "truncate: $!\n";
	return "$dir/$name";
}

sub have { return !system("command -v $_[0] >/dev/null") }

# The system call is at home in the guest's directory only.
sub in_directory {
	my ($where, @command) = @_;
	return GuestRun->start(command => [ 'sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh',
		$where, @command ], closed_input => 1);
}

sub kinds {
	my $guest = start_guest('idle', 'kinds');
	image('raw.img', 2);
	answers(in_directory($dir, $program, 'block-attach', 'kinds', 'raw.img'), 0, qr/\Axvda\n\z/,
		'a relative path');
	image('raw.img', 3);
	answers(ask('block-rescan', 'kinds', 'xvda'), 0, qr/\A3145728\n\z/, 'its size, again');
	answers(ask('block-resize', 'kinds', 'xvda', '4M'), 0, qr/\A4194304\n\z/, 'made larger');
	is(-s "$dir/raw.img", 4 << 20, 'and it is');
	answers(ask('block-resize', 'kinds', 'xvda', '+512'), 0, qr/\A4194816\n\z/, 'and more');
	answers(ask('block-resize', 'kinds', 'xvda', '4M'), 1,
		qr/\Axenemu: kinds: \Q$dir\E\/raw.img: has 4194816 bytes, [^\n]* larger\n\z/, 'not smaller');
	answers(ask('block-resize', 'kinds', 'xvdb', '4M'), 1, qr/has no disk xvdb$/, 'none there');
	SKIP: {
		skip 'no prlimit', 2 unless have('prlimit');
		system('prlimit', '--pid', $guest->pid, '--fsize=' . (64 << 20) . ':');
		answers(ask('block-resize', 'kinds', 'xvda', '1G'), 1,
			qr/\Q$dir\E\/raw.img: can't be made larger: File too large$/, 'no file may be so large');
	}
	answers(ask('block-attach', 'kinds', "$dir/raw.img"), 1,
		qr/\Axenemu: kinds: \Q$dir\E\/raw.img: another process uses [^\n]*\n\z/, 'locked');
	answers(ask('block-attach', 'kinds', "$dir/none.img"), 1, qr{/none\.img: .*No such file},
		'a file that is not there');
	answers(ask('block-attach', 'kinds', 'format=raw,vdev=xvda,target=/dev/null'), 1,
		qr{/dev/null}, 'not a disk');
	SKIP: {
		skip 'no qemu-storage-daemon', 13 unless have('qemu-storage-daemon') && have('qemu-img');
		system('qemu-img', 'create', '-q', '-f', 'qcow2', "$dir/image.qcow2", '1M');
		answers(ask('block-attach', 'kinds', "$dir/image.qcow2,qcow2,xvdc"), 0, qr/\Axvdc\n\z/, 'qcow2');
		answers(ask('block-resize', 'kinds', 'xvdc', '+1M'), 0, qr/\A2097152\n\z/, 'made larger');
		answers(ask('block-detach', 'kinds', 'xvdc'), 0, qr/\A\z/, 'detached');
		like(`qemu-img info $dir/image.qcow2`, qr/virtual size: .*\(2097152 bytes\)/, 'and it is');
		my $json = '{"driver":"file","filename":"' . image('json.img', 1) . '"}';
		answers(in_directory('/', $program, 'block-attach', 'kinds',
				"format=raw,vdev=xvdd,target=json:$json"), 0, qr/\Axvdd\n\z/,
			'options of a node of QEMU');
		answers(ask('block-rescan', 'kinds', 'xvdd'), 1,
			qr/\Axenemu: kinds: json:\{.*\}: the size of this kind of disk can't be looked at again; block-resize makes it larger\n\z/,
			'no second look');
		answers(ask('block-detach', 'kinds', 'xvdd'), 0, qr/\A\z/, 'detached');
	}
	is(xenemu('destroy', 'kinds')->{status}, 0, 'destroy');
	is($guest->finish(60), 0, 'its status');
	is($guest->messages =~ tr/\n//, 1, 'nothing else is said') or diag $guest->messages;
}

# An export that grows, and what is said of servers that are gone or take no second connection
sub exports {
	my $guest = start_guest('idle', 'exports');
	my ($image, $pid) = (image('export.img', 2), "$dir/nbdkit.pid");
	my $uri = "nbd+unix:///?socket=$dir/nbdkit";
	my $server = GuestRun->start(command => [ 'nbdkit', '-f', '-U', "$dir/nbdkit", '-P', $pid, 'file',
		$image ]);
	my $end = time + 60;
	select(undef, undef, undef, 0.01) until -s $pid or time > $end;
	ok(-s $pid, 'the server is there') or diag $server->messages;
	answers(ask('block-attach', 'exports', $uri), 0, qr/\Axvda\n\z/, 'an export');
	image('export.img', 3);
	answers(ask('block-rescan', 'exports', 'xvda'), 0, qr/\A3145728\n\z/, 'it has grown');
	image('export.img', 1);
	answers(ask('block-rescan', 'exports', 'xvda'), 1,
		qr/\Axenemu: exports: \Q$uri\E: its export is smaller now\n\z/, 'it shrinks');
	answers(ask('block-resize', 'exports', 'xvda', '4M'), 1,
		qr/\Axenemu: exports: \Q$uri\E: [^\n]* use block-rescan\n\z/, 'not ours to resize');
	kill KILL => $server->pid;
	$server->finish(60);
	$guest->expect_message(qr/the server is gone/, 60);
	answers(ask('block-rescan', 'exports', 'xvda'), 1,
		qr/\Axenemu: exports: \Q$uri\E: the server is gone; .* looked at when it is back\n\z/,
		'it is gone');
	is(xenemu('destroy', 'exports')->{status}, 0, 'destroy');
	is($guest->finish(60), 0, 'its status');
}

# A server that takes a connection and never says a word
sub silent_server {
	unlink "$dir/silent";
	return IO::Socket::UNIX->new(Local => "$dir/silent", Listen => 4) // die "listen: $!\n";
}

# begin_slow(SERVER, GUEST): attach its disk; the helper waits for the server by now
sub begin_slow {
	my ($server, $guest) = @_;
	my $attach = ask('block-attach', $guest, $silent);
	ok(IO::Select->new($server)->can_read(120), 'the helper connects');
	return ($attach, $server->accept);
}

# Whoever waits, the guest does not.
sub slow {
	my $server = silent_server();
	my $guest = start_guest('serve', 'slow');
	$guest->expect(qr/watching/, 60);
	my ($attach, $connection) = begin_slow($server, 'slow');
	like(xenemu('list')->{out}, qr/^slow .* running$/m, 'the helper answers others');
	answers(ask('block-attach', 'slow', image('slow.img', 1)), 0, qr/\Axvdb\n\z/,
		'another disk comes meanwhile, and under another name');
	answers(ask('block-detach', 'slow', 'xvda'), 1, qr/has no disk xvda$/, 'not there yet');
	answers($attach, 1, qr/\Axenemu: slow: \Q$silent\E: the server doesn't answer\n\z/,
		'the reason is told');
	($attach, $connection) = begin_slow($server, 'slow');
	is(xenemu('shutdown', '--wait', 'slow')->{status}, 0, 'the guest can shut down');
	answers($attach, 1, qr/\Axenemu: slow: the guest is ending\n\z/, 'and who waits is told');
	is($guest->finish(60), 0, "the guest's status");
	($guest, $attach) = (start_guest('idle', 'slow'));
	($attach, $connection) = begin_slow($server, 'slow');
	kill TERM => $guest->pid;
	is($guest->finish(60), 128 + 15, 'ended by a signal meanwhile');
	answers($attach, 1, qr/\Axenemu: slow: the guest is ending\n\z/, 'who waits is told, too');
}

sub store_write {
	local $ENV{XENSTORED_PATH} = "$ENV{XENEMU_RUNTIME_DIR}/$_[0]/xenstore";
	system('xenstore-write', "/local/domain/1/$_[1]", $_[2]) == 0 or die "xenstore-write failed\n";
}

# Returns when every thread of it has stopped, which is some time after kill returns.
sub stop_process {
	my ($pid) = @_;
	kill STOP => $pid;
	for my $stat (glob "/proc/$pid/task/*/stat") {
		select(undef, undef, undef, 0.01) until read_file($stat) =~ /\) T/;
	}
}

# What nobody answers: all at once, since each takes ten seconds and more.
sub late {
	my ($guest, $stopped) = (start_guest('idle', 'late'), start_guest('idle', 'stopped'));
	is(xenemu('block-attach', 'late', image('late.img', 1))->{out}, "xvda\n", 'attached');
	# A frontend that is there, and does nothing.
	store_write('late', 'device/vbd/51712/state', 2);
	stop_process($stopped->pid);
	my @asked = (
		[ 'late', qr/the guest has not let go of xvda yet; it goes when it does/,
			'block-detach', 'late', 'xvda' ],
		[ 'late', qr/the guest has not acknowledged yet that it is to power off/, 'shutdown', 'late' ],
		[ 'stopped', qr/the guest has not acknowledged yet that it is to reboot/, 'reboot', 'stopped' ],
		[ 'stopped', qr/the guest's xenemu does not answer; it gives the guest the disk when it does/,
			'block-attach', 'stopped', "$dir/late.img" ],
		[ 'stopped', qr/the guest's xenemu does not answer; it looks/, 'block-rescan', 'stopped', 'xvda' ],
		[ 'stopped', qr/the guest's xenemu does not answer yet; it resizes/, 'block-resize', 'stopped', 'xvda',
			'2M' ],
		[ 'stopped', qr/the guest's xenemu does not answer; it ends/, 'destroy', 'stopped' ],
	);
	$_->[0] = [ $_->[0], ask(@$_[2 .. $#$_]) ] for @asked;
	answers($_->[0][1], 1, qr/\Axenemu: $_->[0][0]: (?:$_->[1]).*\n\z/, $_->[2]) for @asked;
	answers(ask('block-detach', 'late', 'xvda'), 1, qr/has been asked already/, 'not twice');
	store_write('late', 'device/vbd/51712/state', 6);
	answers(ask('block-attach', 'late', "$dir/late.img"), 0, qr/\Axvda\n\z/, 'it has gone');
	kill CONT => $stopped->pid;
	is($stopped->finish(60), 0, 'destroyed when it went on');
	is(xenemu('destroy', 'late')->{status}, 0, 'destroy');
	is($guest->finish(60), 0, 'its status');
}

subtest 'kinds of disks' => \&kinds;
SKIP: {
	skip 'no nbdkit', 1 unless have('nbdkit');
	subtest 'exports' => \&exports;
}
subtest 'a slow server' => \&slow;
SKIP: {
	skip 'xenstore-utils is not installed', 1 unless have('xenstore-write');
	subtest 'no answer' => \&late;
}
done_testing;
