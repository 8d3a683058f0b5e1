#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Disks of Debian's stock kernel, unmodified: a file system that was made on the host
# is read, written and found there again; disks are read-only, come and go, and grow
# while it runs; what it saw flushed survives the helper.
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use TestCommand qw(xenemu write_file read_file);
use TestGuests;
use DiskGuest;

$ENV{PATH} .= ':/usr/sbin:/sbin';
my $dir = File::Temp->newdir;
my $machine = (machines())[0];

# A tree of files that don't repeat themselves, and their checksums as sha256sum has them
sub make_tree {
	my $tree = "$dir/tree";
	mkdir $tree;
	srand 1;
	for my $name (qw(one two three)) {
		write_file("$tree/$name", join '', map { pack 'N', rand 2**32 } 1 .. 300_000);
	}
	run_or_die("cd $tree && sha256sum one two three >sums");
	return $tree;
}

# file_system(NAME, MIB, TREE): a file with an ext4 in it
sub file_system {
	my ($name, $mib, $tree) = @_;
	run_or_die("truncate -s ${mib}M $dir/$name && mke2fs -q -F -t ext4 -d $tree $dir/$name >&2");
	return "$dir/$name";
}

sub reads_and_writes {
	my ($guest) = @_;
	does($guest, until_there('xvda') . '; ' . until_there('xvdc1'), 'disks appear');
	does($guest, 'mount -t ext4 /dev/xvda /root && cd /root', 'mounts a file system');
	does($guest, 'sha256sum -c sums', 'reads what was put there');
	does($guest, 'for i in one two three; do cat $i >>all; done; sync', 'writes');
	does($guest, 'dd if=all of=/dev/xvdc1 bs=1M conv=fsync', 'writes to a bare partition');
	does($guest, 'cd /; umount /root; mount -t ext4 /dev/xvda /root', 'mounts it again');
	does($guest, 'cmp /root/all /dev/xvdc1; [ $? = 1 ]', 'the shorter is the same');
	does($guest, 'umount /root', 'unmounts it');
}

sub is_read_only {
	my ($guest) = @_;
	does($guest, 'dd if=/dev/xvdb of=/dev/null bs=1M', 'reads a read-only disk');
	isnt(status($guest, 'echo x >/dev/xvdb'), 0, "can't write to it");
}

sub comes_grows_and_goes {
	my ($guest, $name, $tree) = @_;
	my $extra = file_system('extra.img', 8, $tree);
	my $attached = xenemu('block-attach', $name, "$extra,raw,xvdd");
	is($attached->{status}, 0, 'attached') or diag $attached->{err};
	is($attached->{out}, "xvdd\n", 'says as what');
	does($guest, until_there('xvdd') . '; mount -r -t ext4 /dev/xvdd /root', 'it is mounted');
	does($guest, '(cd /root && sha256sum -c sums); umount /root', 'and has what it should');

	like(xenemu('block-attach', $name, "$extra,raw,xvdd")->{err},
		qr/^xenemu: \Q$name\E: .*\n\z/, 'not twice');
	run_or_die('truncate', '-s', '12M', $extra);
	is(xenemu('block-rescan', $name, 'xvdd')->{out}, (12 << 20) . "\n", 'looked at again');
	does($guest, 'until grep -q "12288 xvdd$" /proc/partitions; do usleep 10000; done',
		'the guest sees it grow');

	is(xenemu('block-detach', $name, 'xvdd')->{status}, 0, 'detached');
	does($guest, until_gone('xvdd'), 'gone');
	my $again = xenemu('block-detach', $name, 'xvdd');
	is($again->{status}, 1, "not twice: status");
	like($again->{err}, qr/has no disk xvdd$/, 'and message');
}

sub have { return !system("command -v $_[0] >/dev/null") }

# grows(GUEST, NAME, SPEC, VDEV, KIB, GROW): a disk, which has so many KiB after GROW
sub grows {
	my ($guest, $name, $spec, $vdev, $kib, $grow) = @_;
	my $attached = xenemu('block-attach', $name, $spec);
	is($attached->{status}, 0, "$vdev: attached") or diag $attached->{err};
	does($guest, until_there($vdev), "$vdev: there");
	does($guest, "echo first | dd of=/dev/$vdev bs=512 conv=sync,fsync", "$vdev: written");
	my $ran = $grow->();
	is($ran->{out}, ($kib << 10) . "\n", "$vdev: larger") or diag $ran->{err};
	does($guest, "until grep -q ' $kib $vdev\$' /proc/partitions; do usleep 10000; done",
		"$vdev: the guest sees it");
	does($guest, "echo last | dd of=/dev/$vdev bs=1k seek=" . ($kib - 1) . ' conv=sync,fsync && ' .
		"dd if=/dev/$vdev bs=1k skip=" . ($kib - 1) . ' | grep -q last',
		"$vdev: its new end is written and read");
	does($guest, "dd if=/dev/$vdev bs=512 count=1 | grep -q first", "$vdev: its start is what it was");
	is(xenemu('block-detach', $name, $vdev)->{status}, 0, "$vdev: detached");
}

# Whose image only its own server can make larger, and whose server does without being asked
sub served_ones_grow {
	my ($guest, $name) = @_;
	SKIP: {
		skip 'no qemu-storage-daemon', 8 unless have('qemu-storage-daemon') && have('qemu-img');
		run_or_die('qemu-img', 'create', '-q', '-f', 'qcow2', "$dir/grow.qcow2", '2M');
		grows($guest, $name, "$dir/grow.qcow2,qcow2,xvde", 'xvde', 4096,
			sub { xenemu('block-resize', $name, 'xvde', '4M') });
	}
	SKIP: {
		skip 'no nbdkit', 8 unless have('nbdkit');
		run_or_die('truncate', '-s', '2M', "$dir/export.img");
		run_or_die('nbdkit', '-U', "$dir/nbd", '-P', "$dir/nbd.pid", 'file', "$dir/export.img");
		select(undef, undef, undef, 0.01) until -s "$dir/nbd.pid";
		grows($guest, $name, "nbd+unix:///?socket=$dir/nbd,,xvdf", 'xvdf', 4096, sub {
			run_or_die('truncate', '-s', '4M', "$dir/export.img");
			return xenemu('block-rescan', $name, 'xvdf');
		});
		kill TERM => read_file("$dir/nbd.pid");
	}
}

# What the host finds when the guest is gone
sub is_stored {
	my ($tree) = @_;
	my $all = join '', map { read_file("$tree/$_") } qw(one two three);
	is(system("e2fsck -fn $dir/root.img >$dir/e2fsck.log 2>&1"), 0, 'file system is clean')
		or diag read_file("$dir/e2fsck.log");
	run_or_die("debugfs -R 'dump /all $dir/all' $dir/root.img 2>/dev/null");
	ok(read_file("$dir/all") eq $all, 'the file is there as it was written');
	ok(substr(read_file("$dir/part.img"), 0, length $all) eq $all, 'the bare partition, too');
	is(read_file("$dir/fixed.img"), 'f' x (1 << 20), 'the read-only disk is what it was');
}

sub works {
	my $tree = make_tree();
	write_file("$dir/fixed.img", 'f' x (1 << 20));
	run_or_die('truncate', '-s', '8M', "$dir/part.img");
	my $guest = boot_with_disks($machine, 'disks', file_system('root.img', 16, $tree), "$dir/fixed.img,raw,xvdb,r",
		"$dir/part.img,raw,xvdc1,w");
	reads_and_writes($guest);
	is_read_only($guest);
	comes_grows_and_goes($guest, 'disks', $tree);
	served_ones_grow($guest, 'disks');
	$guest->type("exit\n");
	is($guest->finish(limit(10)), 0, 'powers off with exit status 0') or diag explain($guest);
	is($guest->messages, '', 'xenemu says nothing');
	is_stored($tree);
}

# Each number is flushed before it is said.
sub survives_the_helper {
	run_or_die('truncate', '-s', '1M', "$dir/count.img");
	my $guest = boot_with_disks($machine, 'killed', "$dir/count.img");
	$guest->type(until_there('xvda') . '; i=0; while i=$((i + 1)); do ' .
		'echo $i | dd of=/dev/xvda bs=512 conv=sync,fsync 2>/dev/null; echo st""ored $i; ' .
		"done\n");
	ok($guest->expect(qr/^stored 20\r?$/m, limit(10)), 'the guest writes') or
		diag explain($guest);
	kill KILL => $guest->{pid};
	$guest->finish(limit(5));
	my @said = $guest->console =~ /^stored (\d+)\r?$/mg;
	my ($found) = read_file("$dir/count.img") =~ /^(\d+)\n/;
	cmp_ok($found, '>=', $said[-1], 'what the guest saw flushed is there');
}

disk_ramdisk($dir);
subtest "on $machine" => \&works;
subtest 'helper killed' => \&survives_the_helper;
done_testing;
