#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The scripts' own manners: help, refusal of what they don't know; and the
# initramfs, which must come out the same each time.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Temp 'tempdir';
use FindBin;
use Test::More;

my $top = abs_path("$FindBin::Bin/../..");
my $dir = tempdir(CLEANUP => 1);

# run(COMMAND): its status, and its output of both kinds
sub run {
	my ($command) = @_;
	my $out = `$command 2>&1 </dev/null`;
	return ($? >> 8, $out);
}

for my $script (qw(scripts/demo scripts/check scripts/bench scripts/bench-net scripts/bench-disk
	guest-images/fetch guest-images/initramfs/build guest-images/disk-bench/build
	guest-images/debian-disk/build guest-images/minimal-disk/build)) {
	my ($status, $out) = run("$top/$script --help");
	is($status, 0, "$script --help: status");
	like($out, qr{\Ausage: \Q$script\E}, "$script --help: says how");
	($status, $out) = run("$top/$script --nonsense");
	is($status, 2, "$script --nonsense: status") or diag $out;
	like($out, qr/--help/, "$script --nonsense: says what to do");
}
for my $words ('disks', '--machine', 'disk --machine', 'disk --shell', '--abi ""') {
	my ($status, $out) = run("$top/scripts/demo $words");
	is($status, 2, "scripts/demo $words: status") or diag $out;
}

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	local $/;
	return <$file>;
}

for my $name (qw(one two)) {
	my ($status, $out) = run("$top/guest-images/initramfs/build $dir/$name");
	is($status, 0, "initramfs $name") or diag $out;
}
ok(slurp("$dir/one") eq slurp("$dir/two"), 'the same bytes twice');
my @made = (stat "$dir/one")[1, 9];
run("$top/guest-images/initramfs/build $dir/one");
is_deeply([ (stat "$dir/one")[1, 9] ], \@made, 'not made again when there is nothing new');

done_testing;
