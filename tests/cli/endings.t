#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How a guest can end, and what `xenemu run` makes of it: exit status, messages
# on stderr, console on stdout and nothing mixed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp;
use TestCommand;
use TestGuests qw(machines);

my $dir = File::Temp->newdir;

sub run_args {
	my ($machine, $ending, @more) = @_;
	return ('run', '--kernel', guest('endings'), '--memory', 16, '--machine', $machine,
		'--extra', $ending, '--timeout', 100, @more);
}

sub ends {
	my ($machine, $ending, $status, $console, $messages) = @_;
	my $ran = xenemu(run_args($machine, $ending));
	subtest $ending => sub {
		is($ran->{status}, $status, 'status');
		is($ran->{out}, "ready: $ending\n$console", 'console');
		like($ran->{err}, $messages, 'messages');
	} or diag $ran->{err};
	return $ran;
}

sub crash_report {
	my ($report) = @_;
	like($report, qr/^Domain 1 \(vcpu#0\) crashed: an exception for which .* \(vector 6,/m,
		'says why');
	like($report, qr/^  rip: e033:ffffffff801[0-9a-f]{5}  rflags: /m, 'registers');
	like($report, qr/^Code around rip:\n.*<0f> 0b/m, 'the instruction');
	my ($stack) = $report =~ /^Guest stack from rsp=ffffffff80[0-9a-f]{6}:\n((?: .*\n)+)/m;
	like($stack // '', qr/ffffffff801[0-9a-f]{5}/, 'stack with a return address');
	like($report, qr/^hypercall: v0 set_trap_table 0 = 0 rip /m, 'last hypercalls');
}

# The hypercall that says so is the instruction before rip.
sub says_where {
	my ($report) = @_;
	my ($rip) = $report =~ /^  rip: e033:([0-9a-f]+)/m;
	my ($call) = $report =~ /^hypercall: v0 sched_op\(shutdown\).* rip 0x([0-9a-f]+)/m;
	is($rip, $call, 'crash: registers of the call');
	like($report, qr/^Code around rip:\n.* 0f 05 <[0-9a-f]{2}>/m, 'crash: after a syscall');
}

sub endings {
	my ($machine) = @_;
	ends($machine, 'poweroff', 0, '', qr/\A\z/);
	ends($machine, 'reboot', 3, '', qr/\A\z/);
	says_where(ends($machine, 'crash', 4, '', qr/^Domain 1 .* says that it has crashed/)->{err});
	ends($machine, 'code-reboot', 3, "shutdown_code: 0\n", qr/\A\z/);
	ends($machine, 'suspend', 0, "suspend: -95\n", qr/not yet supported/);
	ends($machine, 'last-words', 0, "last words\n", qr/\A\z/);
	my $ran = ends($machine, 'fault', 4, '', qr/^xenemu: guest: the guest crashed/m);
	subtest 'crash report' => sub { crash_report($ran->{err}) };
}

# A bug of the monitor's own: its report has names, and the exit status is 5.
sub monitor_fault {
	my ($machine) = @_;
	my $ran = xenemu(run_args($machine, 'poweroff', '--test-monitor-fault'));
	is($ran->{status}, 5, "monitor fault on $machine: status 5");
	is($ran->{out}, '', "monitor fault on $machine: the guest did not start");
	like($ran->{err}, qr/unexpected exception in the monitor/, 'what happened');
	like($ran->{err}, qr{R monitor_start\+0x}, 'where, by name');
	like($ran->{err}, qr/^xenemu: guest: the monitor failed/m, 'the last line');
}

sub timeout_ends {
	my $ran = xenemu('run', '--kernel', guest('endings'), '--memory', 16, '--machine', 'qemu',
		'--extra', 'idle', '--timeout', '2.5');
	is($ran->{status}, 6, 'timeout: status 6');
	like($ran->{err}, qr/\Axenemu: guest: timeout after 2\.5 seconds\n\z/, 'timeout: message');
}

sub signal_ends {
	my ($name, $number, $ending) = @_;
	my $run = start_xenemu(run_args('qemu', $ending, '--name', 'victim'));
	ok($run->expect(qr/ready: $ending/, 60), "$name: guest runs") or diag $run->messages;
	my @qemu = processes($run->pid);
	is(scalar @qemu, 1, "$name: one child");
	kill $name => $run->pid;
	is($run->finish(60), 128 + $number, "$name: status");
	like($run->messages, qr/\Axenemu: victim: ended by signal $number \(.*\)\n\z/,
		"$name: message");
	ok(!-d "/proc/$qemu[0]", "$name: QEMU is gone");
}

sub dead_qemu {
	my $run = start_xenemu(run_args('qemu', 'idle'));
	ok($run->expect(qr/ready: idle/, 60), 'dead QEMU: guest runs') or diag $run->messages;
	my ($qemu) = processes($run->pid);
	kill KILL => $qemu;
	is($run->finish(60), 5, 'dead QEMU: status');
	like($run->messages, qr/\Axenemu: [^\n]*QEMU[^\n]*\n\z/i, 'dead QEMU: one line');
}

sub traces {
	my $ran = xenemu(run_args('qemu', 'poweroff', '--trace', 'hypercalls,events',
			'--trace-file', "$dir/trace"));
	my $trace = read_file("$dir/trace");
	is($ran->{status}, 0, 'trace: status');
	is($ran->{err}, '', 'trace: nothing on stderr');
	like($trace, qr/^hypercall: v0 set_trap_table 0xffffffff8[0-9a-f]+ = 0 rip 0x/m,
		'trace: a call');
	like($trace, qr/^hypercall: v0 event_channel_op\(send\) 0x[0-9a-f]+ = 0 rip 0x/m,
		'trace: a sub-operation');
	like($trace, qr/^event: port 2 sent by the guest$/m, 'trace: an event');
	like($trace, qr/sched_op\(shutdown\)[^\n]*\n\z/, 'trace: to the end');
	unlike($trace, qr/lost/, 'trace: nothing lost');
	$ran = xenemu(run_args('qemu', 'poweroff', '--trace', 'events'));
	like($ran->{err}, qr/^event: port 2/m, 'trace: to stderr');
	unlike($ran->{err}, qr/^hypercall/m, 'trace: only what was asked for');
}

sub statistics {
	my $ran = xenemu(run_args('qemu', 'poweroff', '--stats'));
	my %stat = $ran->{err} =~ /^stat: (\S+) (\d+)$/mg;
	cmp_ok($stat{'helper-call'}, '>', 0, 'stats: calls are counted');
	cmp_ok($stat{'helper-rss-anon-kib'}, '<=', 8192, "stats: helper's own memory");
	is($stat{'guest-pages'}, 4096, 'stats: pages');
}

my @machines = machines();
ok(scalar @machines, "a machine can run it: @machines");
for my $machine (@machines) {
	subtest "on $machine" => sub { endings($machine) };
	monitor_fault($machine);
}
timeout_ends();
signal_ends('TERM', 15, 'idle');
signal_ends('INT', 2, 'spin');
signal_ends('HUP', 1, 'idle');
dead_qemu();
traces();
statistics();

done_testing;
