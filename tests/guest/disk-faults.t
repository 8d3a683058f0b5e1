#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What disks are stored in breaks while a guest uses it: the host's file system is full,
# a server answers with errors, goes away and comes back, a qemu-storage-daemon dies.
# The guest sees an error or a pause, goes on, and what it was told is written is there.
use strict;
use warnings;
use Digest::SHA;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use TestCommand qw(write_file read_file);
use TestGuests;
use DiskGuest;

$ENV{PATH} .= ':/usr/sbin:/sbin';
my $dir = File::Temp->newdir;
my $machine = (machines())[0];
my $mib = 1 << 20;

# A file system of 4 MiB that only we and our children see; false if we may not.
sub small_file_system {
	mkdir "$dir/small";
	my $CLONE_NEWNS = 0x20000;
	return syscall(272, $CLONE_NEWNS) == 0 &&
		system('mount --make-rprivate / && ' .
			"mount -t tmpfs -o size=4m small $dir/small 2>/dev/null") == 0;
}

# A server of $dir/nbd.img; it serves when this returns, with errors while there is
# $dir/errors.
sub start_server {
	unlink "$dir/socket";
	run_or_die('nbdkit', '-U', "$dir/socket", '-P', "$dir/nbdkit.pid", '--filter=error',
		'file', "$dir/nbd.img", "error-file=$dir/errors", 'error=EIO', 'error-rate=100%');
}

sub kill_server {
	my ($signal) = @_;
	kill $signal => read_file("$dir/nbdkit.pid") =~ /(\d+)/ or die "nbdkit is gone\n";
}

# The processes that @_ has started
sub children {
	return map { split ' ', read_file("/proc/$_/task/$_/children") } @_;
}

sub storage_daemon {
	my ($guest) = @_;
	my ($pid) = grep { readlink("/proc/$_/exe") =~ /qemu-storage-daemon/ }
		children($guest->{pid});
	return $pid;
}

sub full_host {
	my ($guest) = @_;
	does($guest, 'dd if=/random of=/dev/xvdd bs=1M count=2 conv=fsync', 'while there is room');
	isnt(status($guest, 'dd if=/dev/zero of=/dev/xvdd bs=1M seek=2 count=6 conv=fsync'), 0,
		'an error when the host has no room');
	does($guest, 'echo 3 >/proc/sys/vm/drop_caches; ' .
		'dd if=/dev/xvdd bs=1M count=2 | cmp - /random', 'the rest is there');
	does($guest, 'dd if=/random of=/dev/xvdd bs=1M count=2 conv=fsync',
		'and can be written');
}

sub server_errors {
	my ($guest) = @_;
	does($guest, 'dd if=/random of=/dev/xvdb bs=1M conv=fsync', 'writes to a server');
	write_file("$dir/errors", '');
	isnt(status($guest, 'dd if=/dev/zero of=/dev/xvdb bs=1M count=2 conv=fsync'), 0,
		'errors of the server are seen');
	unlink "$dir/errors";
	does($guest, 'dd if=/random of=/dev/xvdb bs=1M conv=fsync', 'no more errors');
}

sub server_goes_and_comes {
	my ($guest) = @_;
	$guest->type('for i in $(seq 1 20); do dd if=/random of=/dev/xvdb bs=1M seek=2 ' .
		'conv=fsync 2>/dev/null && echo rou""nd $i; done; echo ro""unds over' . "\n");
	ok($guest->expect(qr/^round 3\r?$/m, limit(10)), 'writes');
	kill_server('KILL');
	start_server();
	ok($guest->expect(qr/^rounds over\r?$/m, limit(20)), 'goes on') or diag explain($guest);
	my @rounds = $guest->console =~ /^round (\d+)\r?$/mg;
	is("@rounds", join(' ', 1 .. 20), 'without an error');
	like($guest->messages, qr/the server is gone.*requests wait/, 'the user is told');
	like($guest->messages, qr/the server is back$/m, 'both times');
	my ($sum) = $guest->console =~ /^([0-9a-f]{64})  \/random\r?$/m;
	is(Digest::SHA::sha256_hex(substr read_file("$dir/nbd.img"), 2 * $mib, 2 * $mib), $sum,
		'it is stored');
}

sub daemon_dies {
	my ($guest) = @_;
	does($guest, 'dd if=/random of=/dev/xvdc bs=1M conv=fsync', 'writes to a qcow2 image');
	kill KILL => storage_daemon($guest) // die "no qemu-storage-daemon\n";
	isnt(status($guest, 'dd if=/dev/zero of=/dev/xvdc bs=1M count=2 conv=fsync'), 0,
		'its daemon died: errors');
	like($guest->messages, qr{/disk\.qcow2: .*qemu-storage-daemon ended.*requests fail},
		'the user is told');
	is(system("qemu-img convert -O raw $dir/disk.qcow2 $dir/converted 2>/dev/null"), 0,
		'the image is whole');
	my ($sum) = $guest->console =~ /^([0-9a-f]{64})  \/random\r?$/m;
	is(Digest::SHA::sha256_hex(substr read_file("$dir/converted"), 0, 2 * $mib), $sum,
		'what was flushed is in it');
}

for my $program (qw(nbdkit qemu-storage-daemon)) {
	plan skip_all => "no $program" if system("command -v $program >/dev/null");
}
disk_ramdisk($dir);
my $small = small_file_system();
my @disks = ("nbd+unix:///?socket=$dir/socket,,xvdb", "qcow2:$dir/disk.qcow2,xvdc,w");
if ($small) {
	run_or_die('truncate', '-s', '8M', "$dir/small/full.img");
	push @disks, "$dir/small/full.img,,xvdd";
}
run_or_die('truncate', '-s', '8M', "$dir/nbd.img");
run_or_die("qemu-img create -q -f qcow2 $dir/disk.qcow2 8M");
start_server();

my $guest = boot_with_disks($machine, 'faults', @disks);
does($guest, 'dd if=/dev/urandom of=/random bs=1M count=2; sha256sum /random', 'data');
does($guest, until_there('xvdc'), 'disks');
subtest 'errors of a server' => \&server_errors, $guest;
subtest 'a server goes and comes' => \&server_goes_and_comes, $guest;
subtest 'a daemon dies' => \&daemon_dies, $guest;
SKIP: {
	skip 'may not mount a tmpfs', 1 unless $small;
	subtest 'host disk full' => \&full_host, $guest;
}
$guest->type("exit\n");
is($guest->finish(limit(10)), 0, 'powers off with exit status 0') or diag explain($guest);
kill_server('TERM');
system('umount', "$dir/small") if $small;
done_testing;
