#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Help, versions, and options that can't be: one line that names the option, and
# exit status 2.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp;
use TestCommand;

my $dir = File::Temp->newdir;

sub says {
	my ($arguments, $pattern, $name) = @_;
	my $ran = xenemu(@$arguments);
	is($ran->{status}, 0, "$name: status 0") or diag $ran->{err};
	like($ran->{out}, $pattern, "$name: text");
	is($ran->{err}, '', "$name: no message");
}

says(['--help'], qr/^Usage: xenemu COMMAND.*^  run .*^  modules .*^  probe /ms, 'help');
says(['--version'], qr/^xenemu \S+\n\z/, 'version option');
says(['version'], qr/^xenemu \S+\n\z/, 'version command');
says(['run', '--help'], qr/^Usage:\n  xenemu run .*--kernel=FILE.*^Exit status:/ms, 'run');
says(['modules', '--help'], qr/^Usage:\n  xenemu modules/, 'modules');
says(['probe', '--help'], qr/^Usage:\n  xenemu probe/, 'probe');
says(['modules'], qr/^xen-4\n  file: .*xen-4\.mod\n.*guests: +x86_64 x86_32p\n.*in the helper/ms,
	'list of modules');
says(['modules'], qr/^$_\n  file: .*\Q$_\E\.mod\n.*guests: +x86_64 x86_32p x86_32\n/ms, "$_ is one")
	for 'xen-3.0.3', 'xen-3.1';

sub refused {
	my ($arguments, $pattern) = @_;
	refuses(xenemu(@$arguments), $pattern, "@$arguments");
}

refused(['frob'], qr/unknown command `frob'/);
refused(['run'], qr/--kernel: missing/);
refused(['run', '--frob'], qr/--frob/);
refused(['run', '--disk', 'x', '--ramdisk', 'x'], qr/--ramdisk: needs --kernel/);
refused(['run', '--disk', 'x', '--extra', 'x'], qr/--extra: needs --kernel/);
refused(['run', '--kernel', 'x', '--grub', '64'], qr/--grub: .*--kernel/);
refused(['run', '--kernel', 'disk:/vmlinuz'], qr/--kernel: there is no disk; .*--disk/);
refused(['run', '--memory'], qr/--memory/);
refused(['run', 'vmlinuz'], qr/unexpected argument `vmlinuz'/);
refused(['block-attach', 'nobody'], qr/NAME SPEC|SPEC/);
refused(['block-attach', 'nobody', 'disk.img'], qr/no guest named nobody is running/);
refused(['block-detach', 'nobody', 'xvda'], qr/no guest named nobody is running/);
refused(['block-rescan', 'nobody', 'xvda'], qr/no guest named nobody is running/);
refused(['block-resize', 'nobody', 'xvda'], qr/give NAME VDEV SIZE/);
refused(['block-resize', 'nobody', 'xvda', '1G'], qr/no guest named nobody is running/);
refused(['block-resize', 'nobody', 'xvda', $_], qr/SIZE: `\Q$_\E' is /) for '', '1X', '+', '1.5G', '8388608T';
refused(['network-attach', 'nobody'], qr/give NAME SPEC/);
refused(['network-attach', 'nobody', 'user', 'mac=1'], qr/no guest named nobody is running/);
refused(['network-detach', 'nobody', '0'], qr/no guest named nobody is running/);
refused(['network-detach', 'nobody', '0', '1'], qr/unexpected argument `1'/);
refused(['modules', 'xen-4'], qr/unexpected argument `xen-4'/);
refused(['probe', '--kernel', 'x'], qr/--kernel/);

my @run = ('run', '--kernel', guest('endings'));
for my $size (qw(0 -1 1.5 12X 99999999999999999999 5000T), '') {
	refused([@run, '--memory', $size], qr/--memory: `\Q$size\E'/);
}
refused([@run, '--memory', '1K'], qr/--memory: `1K' is too little/);
refused([@run, '--machine', 'qemu', '--memory', '1M'], qr/memory/);
refused([@run, '--machine', 'qemu', '--memory', '4096T'], qr/memory/);
refused([@run, '--vcpus', '0'], qr/--vcpus: .*1 to 32/);
refused([@run, '--vcpus', '33'], qr/--vcpus: .*1 to 32/);
refused([@run, '--vcpus', 'many'], qr/--vcpus/);
refused([@run, '--vcpus', '2'], qr/--vcpus: more than one is not yet supported/);
refused([@run, '--disk', 'zip:/disk.img,xvda,rw'], qr{--disk zip:/disk\.img,xvda,rw: zip.*prefix});
refused([@run, '--disk', '/a,,xvdb', '--disk', '/b,,nosuch'], qr/disk nosuch: .*name/);
refused([@run, '--console', 'tty'], qr/--console: unknown kind `tty'; there are stdio, pty/);
refused([@run, '--console', 'pty,colour=no'], qr/--console: `colour=no' is not understood/);
refused([@run, '--console', 'stdio', '--console', 'stdio'], qr/--console: stdio is given twice/);
refused([@run, map { ('--console', 'pty') } 1 .. 11], qr/--console: .*10 consoles at most/);
refused([@run, '--machine', 'qemu', '--console', "file:$dir"], qr/--console file: \Q$dir\E: /);
refused([@run, '--machine', 'qemu', '--console', "unix:$dir/no/socket"], qr/--console unix: \Q$dir\E\/no/);
refused([@run, '--machine', 'qemu', '--console', 'file:/dev/null', '--console', "file:/dev/null,log=$dir"],
	qr/console log \Q$dir\E: /);
refused(['console', 'nosuch'], qr/no guest named nosuch is running/);
refused([@run, '--vif', 'usr'], qr/--vif: `usr' is not known/);
refused([@run, '--vif', 'user,hostfwd=22'], qr/--vif: hostfwd=22: give tcp or udp/);
refused([@run, '--vif', 'user,devid=1', '--vif', 'bridge=br0,devid=1'],
	qr/--vif: devid=1 is given twice/);
refused([@run, '--timeout', '-1'], qr/--timeout/);
refused([@run, '--timeout', 'nan'], qr/--timeout/);
refused([@run, '--timeout', 'soon'], qr/timeout/);
refused([@run, '--name', 'a/b'], qr/--name: `a\/b'/);
refused([@run, '--trace', 'all'], qr/--trace: unknown word `all'/);
refused([@run, '--trace-file', "$dir/none/trace"], qr/--trace-file: .*none\/trace/);
refused([@run, '--machine', 'xen'], qr/--machine: unknown machine `xen'/);
refused([@run, '--machine', 'kvm,accel=tcg'], qr/--machine: `accel=tcg'/);
refused([@run, '--abi', 'xen-2'], qr/--abi xen-2: .*xen-2/);

my $none = xenemu();
is($none->{status}, 2, 'nothing at all: status 2');
like($none->{err}, qr/^Usage: xenemu COMMAND/, 'nothing at all: usage');

{
	local $ENV{XENEMU_MODULES} = "$dir/none";
	refused(['modules'], qr/none/);
	refused([@run], qr/none|xen-4/);
}

done_testing;
