#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Hosts that lack something: no /dev/kvm, one that may not be opened or is none,
# no QEMU, a QEMU that fails or dies.  What is missing is real: a private mount
# namespace, another user, an environment.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp;
use POSIX ();
use TestCommand;

my $dir = File::Temp->newdir(DIR => '/tmp');
chmod 0755, "$dir";
my @run = ('run', '--kernel', guest('endings'), '--memory', 16, '--timeout', 100,
	'--extra', 'poweroff');

# with_kvm(SCRIPT): a command prefix for a host whose /dev/kvm is as SCRIPT (which
# runs in a private mount namespace) makes it; undef where that is not permitted
sub with_kvm {
	my ($script) = @_;
	my @prefix = ('unshare', '-m', 'sh', '-c', "$script && exec \"\$0\" \"\$@\"");
	return system("@{[map { quotemeta } @prefix]} true 2>/dev/null") == 0 ? \@prefix : undef;
}

sub run_in {
	my ($prefix, @arguments) = @_;
	my $run = GuestRun->start(command => [ '/usr/bin/env', @$prefix, program(), @arguments ],
		closed_input => 1);
	my $status = $run->finish(120);
	return { status => $status // 'timeout', out => $run->console, err => $run->messages };
}

my %kvm = (
	absent => 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && ' .
		'mknod -m 444 /dev/urandom c 1 9 && mkdir /dev/shm',
	'another device' => 'mount --bind /dev/null /dev/kvm',
);
for my $what (sort keys %kvm) {
	SKIP: {
		skip 'no /dev/kvm here', 1 if $what ne 'absent' && !-e '/dev/kvm';
		my $prefix = with_kvm($kvm{$what}) or skip 'no private mount namespace', 1;
		subtest "/dev/kvm: $what" => sub {
			refuses(run_in($prefix, @run, '--machine', 'kvm'), qr{/dev/kvm}, 'refused');
			my $ran = run_in($prefix, @run);
			is($ran->{status}, 0, 'auto: takes another machine') or diag $ran->{err};
			like($ran->{err}, qr{\Axenemu: taking machine qemu: .*/dev/kvm[^\n]*\n\z},
				'auto: says why');
			my $probe = run_in($prefix, 'probe');
			is($probe->{status}, 0, 'probe: status');
			like($probe->{out}, qr{^kvm: 64-bit guests: no: .*/dev/kvm}m, 'probe: why not');
			like($probe->{out}, qr{^--machine auto takes qemu for 64-bit}m, 'probe: choice');
		};
	}
}

SKIP: {
	my @nobody = qw(setpriv --reuid 65534 --regid 65534 --clear-groups);
	skip 'not root, or no /dev/kvm', 1 if $> != 0 || !-e '/dev/kvm';
	skip 'everyone may open /dev/kvm', 1 if (stat '/dev/kvm')[2] & 0006;
	skip 'the build is not readable for others', 1
		if system(@nobody, 'test', '-x', program()) != 0;
	local $ENV{XENEMU_RUNTIME_DIR} = "$dir/nobody";
	mkdir "$dir/nobody" and chown 65534, 65534, "$dir/nobody" or die "$dir/nobody: $!";
	refuses(run_in(\@nobody, @run, '--machine', 'kvm'), qr{/dev/kvm.*(permission|group)}i,
		'/dev/kvm: not permitted');
}

# --- QEMU ---

sub without_qemu {
	local $ENV{PATH} = "$dir";
	refuses(xenemu(@run, '--machine', 'qemu'), qr/qemu-system-x86_64/, 'no QEMU in $PATH');
}

sub other_qemu {
	my ($program, $pattern, $name) = @_;
	local $ENV{XENEMU_QEMU} = $program;
	my $ran = xenemu(@run, '--machine', 'qemu');
	subtest $name => sub {
		ok($ran->{status} eq 2 || $ran->{status} eq 5, 'status') or diag $ran->{status};
		like($ran->{err}, qr/\Axenemu: [^\n]+\n/, 'begins with a message');
		like($ran->{err}, $pattern, 'names it');
		is($ran->{out}, '', 'nothing on the console');
	} or diag $ran->{err};
}

without_qemu();
other_qemu("$dir/none", qr{\Q$dir\E/none}, 'QEMU: absent');
other_qemu('/bin/true', qr{QEMU|/bin/true}, 'QEMU: ends at once');
other_qemu('/bin/false', qr{QEMU|/bin/false}, 'QEMU: fails at once');
other_qemu(write_file("$dir/text", "no program\n"), qr{\Q$dir\E/text}, 'QEMU: no program');

{
	my $ran = xenemu(@run, '--machine', 'qemu,accel=nonsense');
	ok($ran->{status} eq 2 || $ran->{status} eq 5, 'QEMU: unknown accelerator: status');
	like($ran->{err}, qr/nonsense/, 'QEMU: unknown accelerator: named');
}

# Killed without a chance to clean up: QEMU must not outlive us.
{
	my $run = start_xenemu(@run, '--machine', 'qemu', '--extra', 'idle');
	ok($run->expect(qr/ready: idle/, 60), 'kill -9: guest runs') or diag $run->messages;
	my ($qemu) = processes($run->pid);
	kill KILL => $run->pid;
	is($run->finish(60), 128 + 9, 'kill -9: killed');
	my $deadline = time + 60;
	select undef, undef, undef, 0.01 while -d "/proc/$qemu" && time < $deadline;
	ok(!-d "/proc/$qemu", 'kill -9: QEMU is gone');
}

done_testing;
