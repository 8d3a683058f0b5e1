#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Machine kvm on a host with hardware virtualization, whatever this host has:
# scripts/nested-host runs the machine's tests, some micro guests of all word
# sizes, and Debian's kernel.  (`scripts/check --all` runs all micro guests so.)
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use GuestRun;
use TestGuests;

my $top = "$FindBin::Bin/../..";
my $build = $ENV{XENEMU_BUILD} // "$top/build";

# Several times what each takes on a quiet machine
my $LIMIT = 180;

# nested(COMMAND...): the run, and its exit status.  One host in ten or so was seen to hang
# under QEMU 7.2: both its processors take one exception after another, its timers stand
# still, and the cause is not known.  So a host that does not end has one more trial.
sub nested {
	my ($run, $status);
	for (1 .. 2) {
		$run = GuestRun->start(command => [ "$top/scripts/nested-host", '--timeout', $LIMIT, @_ ]);
		$run->close_input;
		$status = $run->finish($LIMIT + limit(2));
		last if defined $status && $status != 124;
		diag "no end after $LIMIT s";
	}
	return ($run, $status);
}

subtest 'the host itself' => sub {
	my ($run, $status) = nested('sh', '-c', 'echo out; echo err >&2; test -w /dev/kvm && exit 7');
	is($status, 7, "the command's status, and there is KVM") or diag explain($run);
	is($run->console, "out\n", 'standard output');
	is($run->messages, "err\n", 'standard error');
};

# CPU time there counts instructions: the same each time, but for how the caches of its kernel
# are, and for interrupts, which only add.
my $count = <<'END';
for (1 .. 6) {
	my $from = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
	my $i = 0;
	$i++ while $i < 20_000;
	printf "%d\n", 1e9 * (clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $from);
}
END

subtest 'with a disk, and instructions for CPU time' => sub {
	my $disk = File::Temp->new;
	print $disk 'on the disk' . "\0" x 501;
	$disk->flush;
	my ($run, $status) = nested('--icount', '--disk', "$disk", 'sh', '-c',
		'head -c 11 /dev/vda; echo; nproc; ' .
			"perl -MTime::HiRes=clock_gettime,CLOCK_PROCESS_CPUTIME_ID -e '$count'");
	is($status, 0, 'the command is carried out') or diag explain($run);
	my ($text, $cpus, @times) = split /\n/, $run->console;
	is($text, 'on the disk', 'the disk is there');
	is($cpus, 1, 'one processor');
	is(scalar @times, 6, 'six times');
	my ($least, $next) = sort { $a <=> $b } @times;
	cmp_ok($next - $least, '<', $least / 100, "$least and $next instructions");
};

subtest 'machine kvm' => sub {
	my ($run, $status) = nested("$build/tests/test-machine", '-p', '/machine/kvm');
	is($status, 0, 'its tests pass') or diag explain($run);
	like($run->console, qr{^ok \d+ /machine/kvm/start-and-call$}m, 'were run');
	unlike($run->console, qr/^not ok|# SKIP/m, 'and none was skipped');
	like($run->console, qr/sysret: yes.* 32-bit ring 1: yes/, 'all that users have is there');
};

subtest 'micro guests' => sub {
	my ($run, $status) = nested('env', 'XENEMU_TEST_MACHINES=kvm', 'MICRO=timer writable-page-tables',
		'perl', "$top/tests/guest/micro.t");
	is($status, 0, 'say what they say on Xen') or diag explain($run);
	like($run->console, qr/^ok \d+ - timer on kvm$/m, '64-bit ones');
	for my $abi (qw(xen-3.0.3 xen-3.1)) {
		like($run->console, qr/^ok \d+ - writable-page-tables as $_ under $abi$/m,
			"$_ under $abi") for qw(x86_64 x86_32p x86_32);
	}
};

subtest "Debian's kernel" => sub {
	my ($run, $status) = nested("$build/xenemu", 'run', '--machine', 'kvm', '--kernel', fetched('linux'),
		'--ramdisk', initramfs(), '--memory', 256, '--extra', 'console=hvc0 forks=50');
	is($status, 0, 'powers off with exit status 0') or diag explain($run);
	like($run->console, qr{^init: /sys/hypervisor/guest_type: PV$}m, 'it is a PV guest');
	like($run->console, qr/^init: fork\+exec: 50 of 50, /m, 'fork and exec work');
};

done_testing;
