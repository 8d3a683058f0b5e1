#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's GNU Mach for Xen, 32-bit PAE, which says what it is by __xen_guest alone.
# It stores to a page table that it maps read-only without having asked for
# writable ones, so that it dies at boot on Xen 4.17 as well as here: at the same
# store, after the same calls, and the crash report says why.
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use TestGuests;

# Counted in Xen 4.17; the last lines depend on the memory, 128 MiB.
my %calls = (
	'set_trap_table' => 1, 'set_gdt' => 1, 'stack_switch' => 1, 'set_callbacks' => 1,
	'sched_op_compat(shutdown)' => 1, 'update_descriptor' => 4, 'vm_assist' => 2,
	'mmuext_op/unpin_table' => 1, 'mmuext_op/new_baseptr' => 1, 'mmuext_op/set_ldt' => 1,
	'memory_op(decrease_reservation)' => 8,
	'mmu_update' => 149,
	'update_va_mapping' => 160,
	'mmuext_op' => 147, 'mmuext_op/pin_l1_table' => 144,
);

my $trace = File::Temp->new;
my $guest = run_guest('--kernel', fetched('gnumach'), '--machine', 'qemu', '--memory', 128,
	'--timeout', limit(3), '--trace', 'hypercalls', '--trace-file', "$trace");
$guest->close_input;
is $guest->finish(limit(4)), 4, 'it crashes' or diag explain($guest);
like $guest->messages, qr/the guest says that it has crashed/, 'and says so itself';
like $guest->messages, qr/last page fault was a store at [0-9a-f]+, to a page table/,
	'the report names the store';
like $guest->messages, qr/never asked for writable page tables/, 'and why it was refused';

my %made;
while (<$trace>) {
	$made{$1}++ if /^hypercall: v0 +(\S+)/;
}
is_deeply \%made, \%calls, 'calls up to there' or diag explain_calls();
done_testing;

sub explain_calls {
	return join "\n", map { "$_: " . ($made{$_} // 0) . ', on Xen ' . ($calls{$_} // 0) }
		grep { ($made{$_} // 0) != ($calls{$_} // 0) } sort keys %{ { %made, %calls } };
}
