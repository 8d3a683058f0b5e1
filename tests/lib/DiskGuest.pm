# SPDX-License-Identifier: GPL-2.0-or-later
package DiskGuest;

# A guest with a shell, disks and network: Debian's kernel with the initramfs of the small disk,
# which has the modules and, asked for it, a shell.

use strict;
use warnings;
use Exporter 'import';
use Cwd 'abs_path';
use File::Basename 'dirname';
use Test::More;
use TestGuests;

our @EXPORT = qw(run_or_die disk_ramdisk boot_with_disks boot_with status says does
	until_there until_gone);

my $top = abs_path(dirname(__FILE__) . "/../..");
my $ramdisk;

sub run_or_die {
	system(@_) == 0 or die "@_: failed\n";
}

# disk_ramdisk(DIR): make the initramfs, in DIR
sub disk_ramdisk {
	my ($dir) = @_;
	my $disk = "$dir/minimal.img";
	$ramdisk = "$dir/initrd.img";
	run_or_die("$top/guest-images/minimal-disk/build", '--bare', $disk);
	run_or_die("debugfs -R 'dump /boot/initrd.img $ramdisk' $disk 2>/dev/null");
}

# boot_with_disks(MACHINE, NAME, DISK...): a guest at its shell
sub boot_with_disks {
	my ($machine, $name, @disks) = @_;
	return boot_with($machine, $name, map { ('--disk', $_) } @disks);
}

# boot_with(MACHINE, NAME, OPTION...): the same with any options
sub boot_with {
	my ($machine, $name, @options) = @_;
	my $guest = run_guest('--kernel', fetched('linux'), '--ramdisk', $ramdisk,
		'--memory', 256, '--machine', $machine, '--name', $name,
		'--extra', 'console=hvc0 quiet shell=ramdisk', @options);
	ok($guest->expect(qr/^ramdisk# /m, limit(20)), 'reaches its shell')
		or diag explain($guest);
	return $guest;
}

# status(GUEST, COMMAND): what the guest's shell makes of it
sub status {
	my ($guest, $command) = @_;
	$guest->type("$command; echo =\$?=\n");
	return 'nothing' unless $guest->expect(qr/^=\d+=\r?$/m, limit(10));
	my @all = $guest->console =~ /^=(\d+)=\r?$/mg;
	return $all[-1];
}

# says(GUEST, COMMAND): the last line of its output
sub says {
	my ($guest, $command) = @_;
	my $before = length $guest->console;
	status($guest, "$command | sed 's/^/: /'");
	my @all = substr($guest->console, $before) =~ /^: (.*)$/mg;
	return $all[-1] // '';
}

# does(GUEST, COMMAND, NAME): a test that it succeeds
sub does {
	my ($guest, $command, $name) = @_;
	is(status($guest, $command), 0, $name) or diag explain($guest);
}

# A disk appears and goes by itself; nothing tells a shell.
sub until_there { return "until [ -b /dev/$_[0] ]; do usleep 10000; done" }
sub until_gone { return "while [ -b /dev/$_[0] ]; do usleep 10000; done" }

1;
