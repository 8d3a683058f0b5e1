#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs each micro guest (guest-images/micro/) under xenemu, on each machine that
# can, and passes its TAP through.  What it must say is what it said on real
# Xen: tests/guest/expected/NAME.txt, made by scripts/xen-transcripts.  On one
# machine, qemu if there is a choice, they run under the older ABIs and as 32-bit
# guests, too (tests/lib/MicroMatrix.pm); what those must say is in
# expected/WIDTH/NAME.txt.
# Their traces show whether every call of each ABI's table was made.
# In the environment, MICRO="NAME..." runs only these, and XENEMU_TEST_ALL=1 all
# combinations on all machines.

use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use MicroMatrix;
use TestGuests;

my $build = $ENV{XENEMU_BUILD} // "$FindBin::Bin/../../build";
my $expected = "$FindBin::Bin/expected";
my $dir = File::Temp->newdir;

# What a guest needs or does beyond printing TAP and powering off.
my %special = (
	'blkif' => { disk => 1 << 20 },
	'compat-reboot' => { status => 3 },
	'console-echo' => { prompt => qr/^say: /m, type => "Hello, guest\n" },
	'crash-bad-stack' => { status => 4, messages => qr/stack/i },
	'crash-no-handler' => { status => 4, messages => qr/exception.*vector 6/i },
	'crash-no-user-root' => { status => 4, messages => qr/iret/i },
	'crash-shutdown' => { status => 4 },
	'shutdown-reboot' => { status => 3 },
	'sysenter' => { qemu => 'qemu,cpu=Nehalem' }, # the default one is AMD's
);

# Calls that never fail, or whose answer is how much was done; that don't return;
# that have nothing to succeed with here.
my %no_error = map { $_ => 1 } qw(stack_switch set_callbacks fpu_taskswitch set_timer_op
	sched_op_compat(yield) sched_op_compat(block) sched_op(yield) sched_op(block)
	memory_op(increase_reservation) memory_op(decrease_reservation)
	memory_op(populate_physmap) memory_op(maximum_ram_page)
	xen_version(version) nmi_op(unregister_callback));
my %no_return = map { $_ => qr/./ } qw(iret sched_op(shutdown) sched_op_compat(shutdown));
my %no_success = map { $_ => qr/./ } qw(vcpu_op(initialise) xen_version(build_id));
$no_return{'vcpu_op(down)'} = qr/^xen-4/; # powers off
$no_success{'vcpu_op(down)'} = qr/^xen-3/; # leaves a domain without vCPUs
$no_success{'nmi_op(register_callback)'} = qr/^xen-3/; # for domain 0

# What a KVM without hardware virtualization can't show: user code runs natively
# there, in the host's own segments, and KVM interprets the rest.
my %not_interpreted = (
	'bad-iret' => qr/without a descriptor/,
	'debugreg' => qr{raises #DB|the watchpoint|^register 6 (?:says so|has not)},
	'entry-state' => qr/^[cs]s$/,
	'fpu' => qr/raises #NM|TS survives/,
	'privop' => qr/^sets TS$/,
	'segments' => qr/^es$|^cs is Xen's$/,
	'traps' => qr/^int 0x|^int 13|names the vector/,
	'unhandled' => qr/int \$0x80/,
	'user-traps' => qr/^int \$0x80|^rip is after it/,
	'xsave' => qr/takes effect/,
);

my @names = $ENV{MICRO} ? split ' ', $ENV{MICRO} : guests_of('x86_64');
my %made; # "ABI width": call: what became of it
my $interpreted = probed() =~ /^kvm:.*\binterpreted\b/m;
my %can = map { $_ => 1 } machines();
for my $machine (qw(qemu kvm)) {
	if (!$can{$machine}) {
		SKIP: { skip "machine $machine: " . why_not($machine), 1 }
		next;
	}
	subtest "$_ on $machine" => \&run_micro, $_, $machine for @names;
}
run_combination(@$_) for combinations();
subtest 'every call of each ABI' => \&check_calls if $can{qemu} && !$ENV{MICRO};
done_testing;

# Each guest of a word size under an ABI; today's 64-bit ones ran already.
sub run_combination {
	my ($width, $abi) = @_;
	return if "$width $abi" eq 'x86_64 xen-4';
	my @machines = machines($width eq 'x86_64' ? 64 : 32);
	$#machines = 0 if @machines && !$ENV{XENEMU_TEST_ALL};
	SKIP: { skip "$width under $abi: no machine here", 1 unless @machines }
	for my $name (grep { !why_not_in($abi, $_) && wanted($_) } guests_of($width)) {
		for my $machine (@machines) {
			my $where = @machines > 1 ? " on $machine" : '';
			subtest "$name as $width under $abi$where" => \&run_micro, $name, $machine,
				$width, $abi;
		}
	}
}

sub wanted { return !$ENV{MICRO} || grep { $_ eq $_[0] } @names }

# Calls and what became of them: the lines of a trace
sub note_calls {
	my ($key, $trace) = @_;
	while ($trace =~ /^hypercall: v0 +(\S+).*? (?:= (\S+)|\.\.\.) rip/mg) {
		my ($call, $result) = ($1, $2 // '...');
		my $what = $result eq '...' ? 'no return' : $result =~ /^-/ ? 'error' : 'success';
		$made{$key}{$call}{$what} = 1;
	}
	$made{$key}{iret}{'no return'} = 1 if $trace =~ /^hypercall: v0 +iret /m;
}

# Each row of each table must have been called with the result that it can have.
sub check_calls {
	my %width = (64 => 'x86_64', '32p' => 'x86_32p', 32 => 'x86_32');
	my $tables = "$FindBin::Bin/../../hypercall-tables";
	my @rows = `'$tables/generate' rows '$tables'/*.tbl`;
	ok scalar @rows, 'there are tables';
	for (@rows) {
		my ($abi, $widths, $call, $place) = split;
		for my $width (map { $width{$_} } split /,/, $widths) {
			my @missing = missing($abi, $call, $place, $made{"$width $abi"}{$call} // {});
			ok !@missing, "$call of $abi, $width"
				or diag "$call of $abi, $width: never: @missing";
		}
	}
}

sub missing {
	my ($abi, $call, $place, $was) = @_;
	my @must = $place =~ /^-|^none/ ? 'error' : qw(success error);
	@must = 'no return' if $no_return{$call} && $abi =~ $no_return{$call};
	@must = grep { $_ ne 'error' } @must if $no_error{$call};
	@must = grep { $_ ne 'success' } @must
		if $no_success{$call} && $abi =~ $no_success{$call};
	return grep { !$was->{$_} } @must;
}

sub run_micro {
	my ($name, $machine, $width, $abi) = @_;
	my $place = !$width || $width eq 'x86_64' ? '' : "$width/";
	my $special = $special{$name} // {};
	my $trace = File::Temp->new;
	my $guest = run_guest('--kernel', "$build/guests/$place$name.elf",
		'--machine', $machine eq 'qemu' ? $special->{qemu} // $machine : $machine,
		$abi ? ('--abi', $abi) : (), disk_of($special), '--memory', 32, '--timeout', limit(6),
		$machine eq 'qemu' ? ('--trace', 'hypercalls', '--trace-file', "$trace") : ());
	if ($special->{prompt}) {
		ok $guest->expect($special->{prompt}, limit(3)), 'prompt';
		$guest->type($special->{type});
	}
	$guest->close_input;
	my $status = $guest->finish(limit(7));
	note_calls(($width // 'x86_64') . ' ' . ($abi // 'xen-4'), slurp("$trace"));
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

# An empty disk of the size that a guest wants, with all that dom0 of Xen offers
sub disk_of {
	my ($special) = @_;
	return () unless $special->{disk};
	open my $file, '>', "$dir/disk.img" or die "$dir/disk.img: $!\n";
	truncate $file, $special->{disk} or die "$dir/disk.img: $!\n";
	return ('--disk', "$dir/disk.img,raw,xvda,w,persistent");
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
	return scalar <$file>;
}

# What `xenemu probe` says of a machine
sub why_not {
	my ($machine) = @_;
	return 'not in XENEMU_TEST_MACHINES' if $ENV{XENEMU_TEST_MACHINES};
	my ($line) = grep { /^\s*\Q$machine\E\b/ } split /\n/, probed();
	return $line ? $line =~ s/\s+$//r : 'xenemu probe says nothing of it';
}
