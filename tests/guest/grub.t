#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# GRUB as a PV guest: a kernel that is not Linux (no hypercall page, its own
# page tables and event loop) reaches its prompt, answers, and powers off.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use TestGuests;

sub answers {
	my ($grub, $machine, @options) = @_;
	my $guest = run_guest('--kernel', $grub, '--memory', 64, '--machine', $machine, @options);
	ok($guest->expect(qr/grub> /, limit(10)), 'reaches its prompt')
		or return diag explain($guest);
	$guest->type("echo one two\r");
	ok($guest->expect(qr/[\r\n]one two\s/, limit(5)), 'answers echo') or diag explain($guest);
	$guest->type("ls\r");
	ok($guest->expect(qr/[\r\n]\(memdisk\).*grub> /s, limit(5)), 'ls shows its devices')
		or diag explain($guest);
	$guest->type("halt\r");
	is($guest->finish(limit(5)), 0, 'halt powers off with exit status 0')
		or diag explain($guest);
}

my @machines = machines();
ok(scalar @machines, "a machine can run it: @machines");
for my $machine (@machines) {
	subtest "64-bit on $machine" => sub { answers(fetched('grub'), $machine) };
}
for my $machine (machines(32)) {
	subtest "32-bit on $machine" => sub { answers(fetched('grub32'), $machine) };
}
# It starts old kernels from their disks, and has their ABI then.
for my $abi (qw(xen-3.1 xen-3.0.3)) {
	for my $bits (64, 32) {
		my ($machine) = machines($bits) or next;
		my $grub = fetched($bits == 64 ? 'grub' : 'grub32');
		subtest "$bits-bit, $abi" => sub { answers($grub, $machine, '--abi', $abi) };
	}
}
done_testing;
