#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's stock kernel, unmodified, as a PV guest: boots to user space, works
# there, takes typed input and powers off, on each machine that can run it.
# Each machine boots it once, and the first one twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use TestGuests;

my @image = ('--kernel', fetched('linux'), '--ramdisk', initramfs(), '--memory', 256);

# A KVM without hardware virtualization (kvm-pvm of Linux 6.18 was seen to) loses vector
# registers of a guest's programs when the host is busy, with XSAVE and with FXSAVE: one in
# hundred fork+exec ends in a segmentation fault or prints a format as it is.  KVM with
# hardware virtualization runs this kernel in nested.t.
my $lossy = 'this KVM interprets ring 0, and loses registers of programs when it is busy ' .
	'(XENEMU_TEST_MACHINES=kvm tries it)';
sub loses_registers {
	return !$ENV{XENEMU_TEST_MACHINES} && probed() =~ /^kvm: 64-bit guests: yes\b.*\(interpreted\)/m;
}

sub says_xen {
	my ($guest) = @_;
	my $console = $guest->console;
	like($console, qr/^\[.*Booting (paravirtualized )?kernel on Xen/m, 'kernel found Xen');
	like($console, qr/^init: uname: Linux .* Debian /m, "it is Debian's kernel");
	like($console, qr{^init: /sys/hypervisor/type: xen$}m, '/sys/hypervisor/type');
	like($console, qr{^init: /sys/hypervisor/guest_type: PV$}m, 'it is a PV guest');
	like($console, qr{^init: /sys/hypervisor/version/major: 4$}m, 'Xen 4');
	like($console, qr{^init: /sys/hypervisor/properties/capabilities: xen-3\.0-x86_64}m,
		'capabilities');
	# WARN_ON()'s form: some CPUs make the kernel print advice that says WARNING, too.
	unlike($console, qr/\bBUG:|\bWARNING: CPU:|\bOops\b|Call Trace/, 'no kernel complaint');
}

# The demo's way: nothing typed, programs run, power off.
sub boots_and_works {
	my ($machine) = @_;
	my $guest = run_guest(@image, '--machine', $machine, '--extra',
		'console=hvc0 forks=50');
	$guest->close_input;
	is($guest->finish(limit(20)), 0, 'powers off with exit status 0')
		or return diag explain($guest);
	says_xen($guest);
	like($guest->console, qr/^init: fork\+exec: 50 of 50, /m, 'fork and exec work');
	unlike($guest->messages, qr/^init:|^\[ /m, 'the console is not in the messages');
}

# A user at the guest's shell.
sub answers_typing {
	my ($machine) = @_;
	my $guest = run_guest(@image, '--machine', $machine, '--extra',
		'console=hvc0 mode=shell');
	ok($guest->expect(qr/guest# /, limit(20)), 'reaches a prompt')
		or return diag explain($guest);
	says_xen($guest);
	$guest->type("for i in 1 2 3 4 5 6; do /bin/busybox echo -n \$i.; done; echo\n");
	ok($guest->expect(qr/^1\.2\.3\.4\.5\.6\.\r?$/m, limit(2)), 'runs what is typed')
		or diag explain($guest);
	return reboots_when_asked($guest) if $machine eq 'qemu';
	$guest->type("exit\n");
	is($guest->finish(limit(10)), 0, 'powers off with exit status 0')
		or diag explain($guest);
}

# Linux acknowledges the request in xenstore, then finds no program to obey it with.
sub reboots_when_asked {
	my ($guest) = @_;
	is(system(xenemu_path(), 'reboot', 'guest'), 0, 'acknowledges a request to reboot');
	is($guest->finish(limit(10)), 3, 'reboots with exit status 3') or diag explain($guest);
	like($guest->console, qr/^\[.*reboot: Restarting system/m, 'the kernel says so');
}

# More than the console's ring holds at once.
sub takes_a_long_line {
	my $guest = run_guest(@image, '--machine', 'qemu', '--extra', 'console=hvc0 mode=shell');
	ok($guest->expect(qr/guest# /, limit(20)), 'reaches a prompt')
		or return diag explain($guest);
	$guest->type("echo re''ady; cat > /long; wc -c < /long\n");
	ok($guest->expect(qr/^ready\r?$/m, limit(2)), 'cat runs') or diag explain($guest);
	$guest->type('x' x 2000 . "\n\x04");
	ok($guest->expect(qr/^2001\r?$/m, limit(1)), 'takes more than its ring holds')
		or diag explain($guest);
	kill TERM => $guest->pid;
	is($guest->finish(limit(5)), 143, 'ends when told to');
}

my @machines = machines();
ok(scalar @machines, "a machine can run it: @machines");
subtest "$machines[0]: boots and works" => sub { boots_and_works($machines[0]) };
for my $machine (@machines) {
	SKIP: {
		skip "$machine: $lossy", 1 if $machine eq 'kvm' && loses_registers();
		subtest "$machine: answers typing" => sub { answers_typing($machine) };
	}
}
subtest 'qemu: a long line' => \&takes_a_long_line;
done_testing;
