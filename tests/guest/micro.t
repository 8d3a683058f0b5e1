#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs each micro guest (guest-images/micro/) under xenemu, on each machine that
# can, and passes its TAP through.  What it must say is what it said on real
# Xen: tests/guest/expected/NAME.txt, made by scripts/xen-transcripts.  On
# machine qemu guests run under the older ABIs and as 32-bit guests, too; what
# those must say is in expected/WIDTH/NAME.txt.
# MICRO="NAME..." in the environment runs only these.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use TestGuests;

my $build = $ENV{XENEMU_BUILD} // "$FindBin::Bin/../../build";
my $expected = "$FindBin::Bin/expected";

# What a guest needs or does beyond printing TAP and powering off.
my %special = (
	'compat-reboot' => { status => 3 },
	'console-echo' => { prompt => qr/^say: /m, type => "Hello, guest\n" },
	'crash-bad-stack' => { status => 4, messages => qr/stack/i },
	'crash-no-handler' => { status => 4, messages => qr/exception.*vector 6/i },
	'crash-no-user-root' => { status => 4, messages => qr/iret/i },
	'crash-shutdown' => { status => 4 },
	'shutdown-reboot' => { status => 3 },
);

# Word sizes and ABIs beyond the 64-bit guests of today's Xen
my @combinations = (
	[ 'x86_64', 'xen-3.1' ], [ 'x86_64', 'xen-3.0.3' ],
	[ 'x86_32p', 'xen-4' ], [ 'x86_32p', 'xen-3.1' ], [ 'x86_32p', 'xen-3.0.3' ],
	[ 'x86_32', 'xen-3.1' ], [ 'x86_32', 'xen-3.0.3' ],
);

# 64-bit guests whose subject old Xen has; the transcripts of 32-bit ones say
# which those are.
my @old = qw(accessed-dirty bad-iret entry-state events foreign-code fpu hypercall-errors iret mmu-update
	multicall pin-unpin segments shutdown-reboot time timer traps
	update-va-mapping user-traps writable-page-tables xen-version);
my %not_in = (
	'xen-3.0.3' => { timer => 'no VCPUOP_set_singleshot_timer' },
);

# What a KVM without hardware virtualization can't show: user code runs natively
# there, in the host's own segments, and KVM interprets the rest.
my %not_interpreted = (
	'bad-iret' => qr/without a descriptor/,
	'debugreg' => qr/raises #DB|names the watchpoint/,
	'entry-state' => qr/^[cs]s$/,
	'fpu' => qr/raises #NM|TS survives/,
	'privop' => qr/^sets TS$/,
	'segments' => qr/^es$|^cs is Xen's$/,
	'traps' => qr/^int 0x|^int 13|names the vector/,
	'unhandled' => qr/int \$0x80/,
	'user-traps' => qr/^int \$0x80|^rip is after it/,
	'xsave' => qr/takes effect/,
);

my @names = $ENV{MICRO} ? split ' ', $ENV{MICRO} : names_in($expected);
my $interpreted = `'$build/xenemu' probe 2>&1` =~ /^kvm:.*\binterpreted\b/m;
my %can = map { $_ => 1 } machines();
for my $machine (qw(qemu kvm)) {
	if (!$can{$machine}) {
		SKIP: { skip "machine $machine: " . why_not($machine), 1 }
		next;
	}
	subtest "$_ on $machine" => \&run_micro, $_, $machine for @names;
}
run_combination(@$_) for $can{qemu} ? @combinations : ();
done_testing;

# Each guest of a word size under an ABI
sub run_combination {
	my ($width, $abi) = @_;
	my @all = $width eq 'x86_64' ? @old : names_in("$expected/$width");
	for my $name (grep { !$not_in{$abi}{$_} && wanted($_) } @all) {
		subtest "$name as $width under $abi" => \&run_micro, $name, 'qemu', $width, $abi;
	}
}

sub names_in { return sort map { m{([^/]+)\.txt$} } <$_[0]/*.txt> }

sub wanted { return !$ENV{MICRO} || grep { $_ eq $_[0] } @names }

sub run_micro {
	my ($name, $machine, $width, $abi) = @_;
	my $place = !$width || $width eq 'x86_64' ? '' : "$width/";
	my $special = $special{$name} // {};
	my $guest = run_guest('--kernel', "$build/guests/$place$name.elf", '--machine', $machine,
		$abi ? ('--abi', $abi) : (), '--memory', 32, '--timeout', limit(3));
	if ($special->{prompt}) {
		ok $guest->expect($special->{prompt}, limit(3)), 'prompt';
		$guest->type($special->{type});
	}
	$guest->close_input;
	my $status = $guest->finish(limit(4));
	my @got = tap_lines($guest->console);
	my @want = tap_lines(slurp("$expected/$place$name.txt"));
	if (@got && $got[0] =~ /^1\.\.0 # SKIP (.*)/ && $want[0] ne $got[0]) {
		SKIP: { skip "$name: $1", 1 }
		@want = @got;
	}
	for my $i (0 .. $#want) {
		my $line = $got[$i] // 'nothing';
		my $same = without_directive($line) eq without_directive($want[$i]);
		local our $TODO = $same ? undef : limit_of($machine, $name, $want[$i]);
		ok $same, $want[$i] =~ s/^ok \d+ - //r
			or diag "got: $line" . comments_after($guest->console, $line);
		last if !defined $got[$i];
	}
	is scalar @got, scalar @want, 'number of lines';
	is $status, $special->{status} // 0, 'exit status' or diag explain($guest);
	like $guest->messages, $special->{messages}, 'what xenemu says of it'
		if $special->{messages};
}

# Why a line can't be met by this machine, or undef
sub limit_of {
	my ($machine, $name, $want) = @_;
	my $limit = $not_interpreted{$name};
	my ($test) = $want =~ /^ok \d+ - (.*)/ or return undef;
	return undef if $machine ne 'kvm' || !$interpreted || !$limit;
	return $test =~ $limit ? 'KVM without hardware virtualization' : undef;
}

# Results and plan; comments depend on the machine.
sub tap_lines {
	return grep { /^(?:ok|not ok|1\.\.|Bail out!)/ } split /\n/, $_[0];
}

sub without_directive { return $_[0] =~ s/ # SKIP.*//r }

sub comments_after {
	my ($console, $line) = @_;
	return $console =~ /^\Q$line\E\n((?:#.*\n)+)/m ? "\n$1" : '';
}

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return <$file>;
}

# What `xenemu probe` says of a machine
sub why_not {
	my ($machine) = @_;
	return 'not in XENEMU_TEST_MACHINES' if $ENV{XENEMU_TEST_MACHINES};
	my ($line) = grep { /^\s*\Q$machine\E\b/ } `'$build/xenemu' probe 2>&1`;
	return $line ? $line =~ s/\s+$//r : 'xenemu probe says nothing of it';
}
