#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Kernels that are on the guest's disk, and disks from which GRUB is to boot: what is
# found, and what becomes of disks that make no sense.  None of these boots GRUB
# (tests/guest/boot-disk.t does); the kernel is a micro guest.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Copy;
use File::Path 'make_path';
use File::Temp;
use IO::Compress::Gzip 'gzip';
use TestCommand;

my $dir = File::Temp->newdir;
my $build = $ENV{XENEMU_BUILD} // "$FindBin::Bin/../../build";
my $guest64 = guest('endings');
my ($guest32p, $guest32) = map { "$build/guests/$_/time.elf" } qw(x86_32p x86_32);
$ENV{PATH} .= ':/usr/sbin:/sbin';

sub command {
	my (@command) = @_;
	my $out = qx(@command 2>&1);
	die "@command: $out" if $?;
}

# put(TREE, PATH, BYTES): a file of a file system to be
sub put {
	my ($tree, $path, $bytes) = @_;
	make_path("$dir/$tree/$path" =~ s{/[^/]*$}{}r);
	write_file("$dir/$tree/$path", $bytes);
}

# filesystem(TREE, KIB, OPTIONS): TREE.img, with it
sub filesystem {
	my ($tree, $kib, @options) = @_;
	unlink "$dir/$tree.img";
	command(qw(mke2fs -q -F), @options, '-d', "$dir/$tree", "$dir/$tree.img", "${kib}k");
	return "$dir/$tree.img";
}

# partitioned(NAME, LABEL, SIZE, SCRIPT, [IMAGE, FIRST SECTOR]...)
sub partitioned {
	my ($name, $label, $size, $script, @parts) = @_;
	my $path = "$dir/$name.img";
	unlink $path;
	command("truncate -s $size $path && printf '$script' | sfdisk -q --label $label $path");
	command("dd if=$_->[0] of=$path seek=$_->[1] conv=notrunc,sparse status=none") for @parts;
	return $path;
}

my @run = qw(run --machine qemu --memory 16 --timeout 100);

# boots(NAME, DISK, PATH): the micro guest is read from there and powers off
sub boots {
	my ($name, $disk, $path) = @_;
	my $ran = xenemu(@run, '--disk', $disk, '--kernel', "disk:$path", '--extra', 'poweroff');
	is($ran->{status}, 0, "$name: status") or diag $ran->{err};
	is($ran->{err}, '', "$name: no message");
}

# refused(NAME, DISK, PATTERN, WORDS...)
sub refused {
	my ($name, $disk, $pattern, @words) = @_;
	refuses(xenemu(@run, '--disk', $disk, @words), $pattern, $name);
}

# --- a kernel on the disk ---

put('root', 'boot/guest', read_file($guest64));
put('root', 'boot/text', "no kernel\n");
gzip \read_file($guest64), \my $packed or die;
gzip \"no kernel\n", \my $packed_text or die;
put('root', 'boot/packed', $packed);
put('root', 'boot/cut', substr $packed, 0, length($packed) / 2);
put('root', 'boot/packed-text', $packed_text);
symlink 'guest', "$dir/root/boot/relative" or die;
symlink '/boot/guest', "$dir/root/absolute" or die;
symlink 'loop', "$dir/root/loop" or die;
symlink '../../../../boot', "$dir/root/above" or die;
write_file("$dir/root/hole", '');
truncate "$dir/root/hole", 600 << 20;
my %kinds = (ext2 => [qw(-t ext2)], ext3 => [qw(-t ext3)], ext4 => [qw(-t ext4 -b 4096)]);
for my $kind (sort keys %kinds) {
	my $image = filesystem('root', 8192, @{ $kinds{$kind} });
	boots($kind, $image, '/boot/guest');
}
my $root = filesystem('root', 4096, qw(-t ext4 -O ^has_journal));
boots('a packed kernel', $root, '/boot/packed');
boots('a relative link', $root, '/boot/relative');
boots('an absolute link', $root, '/absolute');
boots('a link upwards', $root, '/above/guest');
{
	my $ran = xenemu(@run, '--disk', $root, '--kernel', 'disk:/boot/guest', '--ramdisk',
		'disk:/boot/text', '--extra', 'poweroff');
	is($ran->{status}, 0, 'a ramdisk too') or diag $ran->{err};
}

refused('absent', $root, qr{^xenemu: \Q$root\E: /boot/none: }, '--kernel', 'disk:/boot/none');
refused('a directory', $root, qr{\Q$root\E: /boot: not a regular}, '--kernel', 'disk:/boot');
refused('a link to itself', $root, qr{\Q$root\E: /loop: .*link}, '--kernel', 'disk:/loop');
refused('not a kernel', $root, qr{\Q$root\E: /boot/text: not a kernel}, '--kernel',
	'disk:/boot/text');
refused('packed, cut off', $root, qr{\Q$root\E: /boot/cut: can't unpack the kernel \(gzip\)},
	'--kernel', 'disk:/boot/cut');
refused('packed, no kernel', $root, qr{\Q$root\E: /boot/packed-text: not a kernel}, '--kernel',
	'disk:/boot/packed-text');
refused('too large', $root, qr{/hole: 629145600 bytes}, '--kernel', 'disk:/hole');
refused('not absolute', $root, qr{--kernel: .*disk:/guest}, '--kernel', 'disk:guest');
refused('ramdisk: absent', $root, qr{/none: }, '--kernel', $guest64, '--ramdisk', 'disk:/none');
refused('no such disk', "$dir/none.img", qr{none\.img}, '--kernel', 'disk:/boot/guest');

# --- partitions ---

boots('MBR', partitioned('mbr', 'dos', '6M', '2048,8192,L\n', [ $root, 2048 ]), '/boot/guest');
boots('MBR, logical', partitioned('logical', 'dos', '8M', '2048,2048,S\n4096,,E\n6144,8192,L\n',
	[ $root, 6144 ]), '/boot/guest');
boots('GPT', partitioned('gpt', 'gpt', '6M', '2048,8192,L\n', [ $root, 2048 ]), '/boot/guest');
{
	put('boot', 'guest', read_file($guest64));
	put('usr', 'x', 'x');
	my ($boot, $usr) = (filesystem('boot', 1024, qw(-t ext2)), filesystem('usr', 1024, qw(-t ext2)));
	my $disk = partitioned('two', 'dos', '6M', '2048,2048,L\n4096,2048,L\n', [ $usr, 2048 ],
		[ $boot, 4096 ]);
	boots('/boot a partition of its own', $disk, '/boot/guest');
}
SKIP: {
	skip 'no qemu-img, or no qemu-storage-daemon', 2
		if system('command -v qemu-img qemu-storage-daemon >/dev/null');
	command("qemu-img convert -O qcow2 $root $dir/root.qcow2");
	boots('qcow2', "$dir/root.qcow2,qcow2", '/boot/guest');
}

# --- which GRUB? The directory has none, so the message tells. ---

$ENV{XENEMU_GRUB} = "$dir";

# grub(NAME, CONFIG FILE, CONFIG, PATTERN): with kernels of each width in /boot
sub grub {
	my ($name, $file, $config, $pattern) = @_;
	command("rm -rf $dir/grub");
	put('grub', 'boot/k64', read_file($guest64));
	put('grub', 'boot/k32p', read_file($guest32p));
	put('grub', 'boot/k32', read_file($guest32));
	put('grub', $file, $config);
	refused("GRUB: $name", filesystem('grub', 4096, qw(-t ext2)), $pattern);
}

my $wants64 = qr/no grub-x86_64-xen\.bin in \Q$dir\E; install the package grub-xen-host.*--grub/;
my $wants32 = qr/no grub-i386-xen\.bin in \Q$dir\E; /;
grub('64 bits', 'boot/grub/grub.cfg', "menuentry x {\n\tlinux /boot/k64 x\n}\n", $wants64);
grub('32 bits', 'boot/grub/grub.cfg', "menuentry x {\n\tlinux\t/boot/k32p x\n}\n", $wants32);
grub('two-level', 'boot/grub/grub.cfg', "linux /boot/k32\n",
	qr{/boot/k32 is a 32-bit kernel without PAE.*--kernel disk:/boot/k32});
grub('grub2/', 'boot/grub2/grub.cfg', "  linux16 /boot/k32p\n", $wants32);
grub('menu.lst', 'boot/grub/menu.lst', "title x\n root (hd0,0)\n kernel (hd0,0)/k32p ro\n", $wants32);
grub('grub.conf', 'boot/grub/grub.conf', "title x\r\nkernel /boot/k32p ro\r\n", $wants32);
grub('the kernel of a multiboot entry', 'boot/grub/menu.lst',
	"kernel /boot/none.gz\nmodule --nounzip /boot/k32p ro\n", $wants32);
grub('the first that is one', 'boot/grub/grub.cfg',
	"linux /boot/none\nlinux /boot/grub/grub.cfg\n# linux /boot/k64\nlinux /boot/k32p\n", $wants32);

refused('--grub 32', $root, $wants32, '--grub', '32');
refused('--grub 64', $root, $wants64, '--grub', '64');
refused('--grub FILE', $root, qr{\Q$dir\E/no-grub: }, '--grub', "$dir/no-grub");

# What we can't look into, GRUB may: it is taken in 64 bits, and a line says why.
sub unknown {
	my ($name, $disk, $pattern) = @_;
	my $ran = xenemu(@run, '--disk', $disk);
	is($ran->{status}, 2, "$name: status");
	like($ran->{err}, qr/\Axenemu: \Q$disk\E: [^\n]*$pattern[^\n]*; taking GRUB in 64 bits: --grub 32[^\n]*\n/,
		"$name: says so");
	like($ran->{err}, $wants64, "$name: takes GRUB in 64 bits");
}

unknown('no configuration', $root, qr{there is no /boot/grub/grub\.cfg});
{
	my $none = write_file("$dir/zeros", "\0" x 65536);
	unknown('no file system', $none, qr/no ext2, ext3 or ext4/);
	put('odd', 'boot/grub/grub.cfg', join '', map { "linux /boot/no\033[31m$_\n" } 1 .. 1000);
	unknown('no kernel', filesystem('odd', 256, qw(-t ext2)), qr/names no Xen PV kernel/);
}

# --- disks that make no sense: refused or booted, soon, and never anything else ---

my $good = read_file($root);
my @odd;
sub survives {
	my ($name, $bytes) = @_;
	my $disk = write_file("$dir/hostile.img", $bytes);
	for my $words ([ '--kernel', 'disk:/boot/guest', '--extra', 'poweroff' ], []) {
		my $ran = xenemu(@run, '--disk', $disk, @$words);
		push @odd, "$name, @$words: $ran->{status}: $ran->{err}"
			if $ran->{status} !~ /\A[02]\z/ || $ran->{err} =~ /[^\n\x20-\x7e]/ ||
			$ran->{err} =~ /process that reads/;
	}
}

survives("cut at $_", substr($good, 0, $_)) for 1024, 1536, 2048, 8192, 65536, 1 << 20;
srand 4;
my $random = join '', map { chr int rand 256 } 1 .. 65536;
survives('random', $random);
survives('a superblock, then random', substr($good, 0, 2048) . $random x 8);
# Wrong bytes, in the metadata mostly
for my $round (1 .. 20) {
	my $bytes = $good;
	for (1 .. 1 + $round * $round) {
		my $at = int rand(rand() < 0.3 ? 4096 : 300_000);
		substr($bytes, $at, 1) = chr int rand 256;
	}
	survives("wrong bytes, $round", $bytes);
}
is_deeply(\@odd, [], 'hostile disks');

done_testing;
