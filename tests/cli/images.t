#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Kernels and ramdisks that can't be: one line that names the file, says what is
# wrong and what to do; exit status 2.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Config;
use File::Temp;
use TestCommand;

my $dir = File::Temp->newdir;
my $good = read_file(guest('endings'));

sub refused {
	my ($name, $bytes, $pattern) = @_;
	my $path = write_file("$dir/$name", $bytes);
	refuses(xenemu('run', '--kernel', $path, '--machine', 'qemu'), qr/\Q$path\E.*$pattern/,
		"kernel: $name");
}

refuses(xenemu('run', '--kernel', "$dir/none"), qr{\Q$dir\E/none: }, 'kernel: absent');
refuses(xenemu('run', '--kernel', "$dir"), qr{\Q$dir\E: }, 'kernel: a directory');
refused('empty', '', qr//);
refused('text', "This is not a kernel.\n" x 100, qr/not a kernel|format/i);
refused('zeros', "\0" x 100000, qr/not a kernel|format/i);
refused('magic', "\x7fELF", qr//);
refused('program', read_file($Config{perlpath}), qr/Xen/);
refused("cut-$_", substr($good, 0, $_), qr//) for (10, 63, 64, 100, 200, 5000);
refused('half-gzip', "\x1f\x8b\x08" . "\0" x 50, qr//);

# Every byte of the ELF header wrong in turn: refused or run, never a crash.
my @odd;
for my $at (0 .. 63) {
	my $bytes = $good;
	substr($bytes, $at, 1) = chr(ord(substr $bytes, $at, 1) ^ 0xff);
	my $path = write_file("$dir/flip", $bytes);
	my $ran = xenemu('run', '--kernel', $path, '--machine', 'qemu', '--memory', 16,
		'--extra', 'poweroff');
	push @odd, "$at: $ran->{status}: $ran->{err}" if $ran->{status} ne 2 && $ran->{status} ne 0;
}
is_deeply(\@odd, [], 'ELF header with a wrong byte');

# A 32-bit kernel in few bytes: an ELF header, two segments, of which one is notes.
sub note { pack 'VVVa4(a4)*', 4, length $_[1], $_[0], 'Xen', unpack '(a4)*', $_[1] }
my $notes = note(6, "linux\0") . note(1, pack 'V', 0xc0100000) . note(3, pack 'V', 0xc0000000) .
	note(5, "xen-3.0\0") . note(9, "no\0");
my $old = pack('a4C3x9vvVVVVVvvvvvv', "\x7fELF", 1, 1, 1, 2, 3, 1, 0xc0100000, 52, 0, 0, 52, 32, 2,
	0, 0, 0) . pack('V8', 1, 0, 0xc0100000, 0x100000, 4096, 4096, 7, 4096) .
	pack('V8', 4, 116, 0, 0, length $notes, length $notes, 4, 4) . $notes;
my $two_level = write_file("$dir/two-level", $old . "\0" x (4096 - length $old));
refuses(xenemu('run', '--kernel', $two_level, '--machine', 'qemu', '--abi', 'xen-4'),
	qr/two-level: a 32-bit \(without PAE\) kernel, which the ABI xen-4 does not run; .*--abi/,
	'kernel: for another ABI');

my @run = ('run', '--kernel', guest('endings'), '--machine', 'qemu', '--memory', 16);
refuses(xenemu(@run, '--ramdisk', "$dir/none"), qr{--ramdisk.*\Q$dir\E/none}, 'ramdisk: absent');
refuses(xenemu(@run, '--ramdisk', "$dir"), qr{ramdisk.*\Q$dir\E}, 'ramdisk: a directory');
open my $large, '>', "$dir/large" or die;
truncate $large, 20 << 20;
close $large;
refuses(xenemu(@run, '--ramdisk', "$dir/large"), qr/ramdisk|memory/i,
	'ramdisk: larger than memory');

refuses(xenemu(@run, '--extra', 'x' x 5000), qr/command line|--extra/i,
	'command line: longer than start_info has room for');

done_testing;
