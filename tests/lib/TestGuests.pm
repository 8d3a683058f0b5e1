# SPDX-License-Identifier: GPL-2.0-or-later
package TestGuests;

# What the guest tests share: where things are, which machines can run a guest.

use strict;
use warnings;
use Exporter 'import';
use Cwd 'abs_path';
use File::Basename 'dirname';
use GuestRun;

our @EXPORT = qw(xenemu_path fetched initramfs micro_guest machines probed limit run_guest
	run_console explain);

my $top = abs_path(dirname(__FILE__) . "/../..");
my $build = $ENV{XENEMU_BUILD} // "$top/build";
my $xenemu = "$build/xenemu";

# fetched(NAME): path of what guest-images/fetch brings, which takes long on a slow host
my %fetched;
sub fetched {
	my ($name) = @_;
	return $fetched{$name} if $fetched{$name};
	my $path = `'$top/guest-images/fetch' '$name'`;
	die "guest-images/fetch $name failed\n" if $?;
	chomp $path;
	return $fetched{$name} = $path;
}

# initramfs(): path of the small guest's initramfs, made when it is missing
sub initramfs {
	my $path = "$build/initramfs.gz";
	system("$top/guest-images/initramfs/build", $path) == 0
		or die "guest-images/initramfs/build failed\n";
	return $path;
}

# micro_guest(NAME): path of a built guest of guest-images/micro
sub micro_guest { return "$build/guests/$_[0].elf" }

# probed(): what `xenemu probe` says
my $probed;
sub probed { return $probed //= `'$xenemu' probe 2>&1` }

# machines(BITS): those that can run such a guest here, 64-bit if not said; those
# of $XENEMU_TEST_MACHINES only, if it is set
sub machines {
	my $bits = $_[0] // 64;
	my @wanted = split ' ', $ENV{XENEMU_TEST_MACHINES} || 'qemu kvm';
	return @wanted if $ENV{XENEMU_TEST_MACHINES} && $bits == 64;
	return grep { probed() =~ /^$_: $bits-bit guests: yes\b/m } @wanted;
}

# limit(SECONDS): a limit for something that takes a few seconds on a quiet
# machine; sanitizers and an interpreting KVM make it ten times as much and more
sub limit { return 20 * $_[0] }

# xenemu_path(): path of the program
sub xenemu_path { return $xenemu }

# run_guest(ARGS...): xenemu run, its console at a GuestRun
sub run_guest {
	return GuestRun->start(command => [ $xenemu, 'run', @_ ]);
}

# run_console(NAME, ARGS...): xenemu console, with a GuestRun at it
sub run_console {
	return GuestRun->start(command => [ $xenemu, 'console', @_ ]);
}

# explain(GUEST): the last it said, for a failed test
sub explain {
	my ($guest) = @_;
	return "console: ..." . substr($guest->console, -2000) .
		"\nmessages: " . substr($guest->messages, -4000);
}

1;
