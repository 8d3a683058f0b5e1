#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Guests that boot from their own disk: GRUB reads the configuration that is there, of
# either generation, and starts the kernel that is there; in 64 and in 32 bits.
# Debian's kernel on disks with and without a partition table; where it need not be
# Linux, micro guests, which tell more of how GRUB left them, sooner.
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use TestCommand qw(write_file);
use TestGuests;

$ENV{PATH} .= ':/usr/sbin:/sbin';
my $dir = File::Temp->newdir;
my $top = "$FindBin::Bin/../..";
my ($machine) = machines();

# small_disk(NAME, OPTIONS): a disk of guest-images/minimal-disk
sub small_disk {
	my ($name, @options) = @_;
	system("$top/guest-images/minimal-disk/build", @options, "$dir/$name") == 0
		or die "guest-images/minimal-disk/build failed\n";
	return "$dir/$name";
}

# micro_disk(GUEST, COMMAND LINE): an ext2 on a whole disk, from which GRUB boots it
sub micro_disk {
	my ($guest, $cmdline) = @_;
	my $tree = File::Temp->newdir;
	my $disk = "$dir/micro.img";
	system('mkdir', '-p', "$tree/boot/grub");
	system('cp', micro_guest($guest), "$tree/boot/kernel") == 0 or die "no $guest\n";
	write_file("$tree/boot/grub/grub.cfg", "linux /boot/kernel $cmdline\nboot\n");
	write_file($disk, "\0" x (2 << 20));
	system(qw(mke2fs -q -F -t ext2 -d), "$tree", $disk) == 0 or die "mke2fs failed\n";
	return $disk;
}

# boots(DISK, COMMAND LINE, OPTIONS): to the shell on the disk, which ends it
sub boots {
	my ($disk, $cmdline, @options) = @_;
	my $guest = run_guest('--disk', $disk, '--machine', $machine, @options);
	ok($guest->expect(qr/^disk# /m, limit(20)), 'reaches a shell') or return diag explain($guest);
	$guest->type("exit\n");
	is($guest->finish(limit(10)), 0, 'powers off') or diag explain($guest);
	like($guest->console, qr{^disk: root is /dev/xvda1$}m, 'its root is the disk');
	like($guest->console, qr/^disk: command line: $cmdline$/m, "the configuration's command line");
	unlike($guest->messages, qr/GRUB|disk/, 'no message') or diag $guest->messages;
}

# runs(GUEST, MACHINE, OPTIONS): a micro guest by way of GRUB, all of whose tests pass
sub runs {
	my ($name, $on, @options) = @_;
	my $guest = run_guest('--disk', micro_disk($name, 'words of its own'), '--machine', $on,
		'--memory', 64, @options);
	$guest->close_input;
	is($guest->finish(limit(10)), 0, 'powers off') or return diag explain($guest);
	like($guest->console, qr/Welcome to GRUB/, 'GRUB was there');
	like($guest->console, qr/^1\.\.[1-9]/m, 'came to its end') or diag explain($guest);
	unlike($guest->console, qr/^not ok/m, 'all ok') or diag explain($guest);
}

my $disk = small_disk('disk.img');
my $linux = 'root=/dev/xvda1 ro console=hvc0';
subtest 'partition, grub.cfg' => sub { boots($disk, $linux) };
subtest 'no partition table, menu.lst' => sub {
	boots(small_disk('bare.img', '--bare', '--legacy') . ',raw,xvda1', "$linux legacy=yes");
};
subtest 'kernel and ramdisk of the disk' => sub {
	boots($disk, "$linux here=yes", '--kernel', 'disk:/boot/vmlinuz', '--ramdisk',
		'disk:/boot/initrd.img', '--extra', "$linux here=yes");
};
subtest "64 bits, a micro guest on $_" => sub { runs('mmu-update', $_) } for machines();
subtest '32 bits, a micro guest on qemu' => sub { runs('x86_32p/mmu-update', 'qemu') };
subtest "grub-xen-host's image" => sub {
	runs('mmu-update', $machine, '--grub', fetched('grub'));
};
done_testing;
