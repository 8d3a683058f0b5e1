#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices that come and go while a guest runs which has no drivers for them: names and
# numbers that are chosen, what is refused, what is said.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp;
use GuestRun;
use OwnNetwork;
use TestCommand;

my $dir = File::Temp->newdir;
$ENV{XENEMU_RUNTIME_DIR} = "$dir";

sub image {
	my ($name) = @_;
	return write_file("$dir/$name", "\0" x (64 << 10));
}

# start_guest(OPTIONS...): a guest called one that idles
sub start_guest {
	my $guest = start_xenemu('run', '--kernel', guest('store'), '--memory', 32, '--machine',
		'qemu', '--timeout', 300, '--extra', 'idle', '--name', 'one', @_);
	$guest->expect(qr/ready/, 120) or diag $guest->messages;
	return $guest;
}

# says(OUT, ARGS...): a command prints that and succeeds
sub says {
	my ($out, @args) = @_;
	my $ran = xenemu(@args);
	is_deeply([ $ran->{status}, $ran->{out} ], [ 0, $out ], "@args") or diag $ran->{err};
}

# fails(PATTERN, ARGS...): a command of a running guest is refused
sub fails {
	my ($pattern, @args) = @_;
	my $ran = xenemu(@args);
	is($ran->{status}, 1, "@args: status");
	like($ran->{err}, $pattern, "@args: message");
}

# store(WHAT, ARGS...): a tool of xenstore-utils
sub store {
	my ($tool, @args) = @_;
	local $ENV{XENSTORED_PATH} = "$dir/one/xenstore";
	my $run = GuestRun->start(command => [ "xenstore-$tool", @args ], closed_input => 1);
	is($run->finish(60), 0, "xenstore-$tool @args") or diag $run->messages;
	return $run->console;
}

# hda is xvda for Linux.
sub disks {
	my $guest = start_guest('--disk', image('a') . ',,hda', '--disk', image('b'));
	is(store('read', '/local/domain/0/backend/vbd/1/51728/dev'), "xvdb\n", 'xvda is left out');
	says("xvdc\n", 'block-attach', 'one', image('c'));
	says("sde\n", 'block-attach', 'one', image('d') . ',,sde');
	says("xvdd\n", 'block-attach', 'one', image('e'));
	says("xvdf\n", 'block-attach', 'one', image('f'));
	says('', 'block-detach', 'one', 'hda');
	says("xvda\n", 'block-attach', 'one', image('a'));
	fails(qr/the guest has no disk hda$/, 'block-detach', 'one', 'hda');

	store('write', '/local/domain/1/error/device/vbd/51712/error', "16 xlvbd_add\nat");
	ok($guest->expect_message(qr/^xenemu: one: vbd 51712 \(xvda\): .* says: 16 xlvbd_add\?at$/m,
		60), 'what a driver complains about is told') or diag $guest->messages;
	is(xenemu('destroy', '--wait', 'one')->{status}, 0, 'destroyed');
	$guest->finish(60);
}

# Numbers of interfaces; passt needs an address to give.
sub networks {
	my $guest = start_guest('--vif', 'user,devid=1');
	my $tree = '/local/domain/1/device/vif';
	says("0\n", 'network-attach', 'one', 'user');
	says("2\n", 'network-attach', 'one', 'user', 'mac=00:16:3e:01:02:03');
	is(store('read', "$tree/2/mac"), "00:16:3e:01:02:03\n", 'words as xl has them');
	says("5\n", 'network-attach', 'one', 'user,devid=5');
	fails(qr/the guest has such a device already$/, 'network-attach', 'one', 'user,devid=5');
	fails(qr/--vif tap=none: the host has no such interface/, 'network-attach', 'one',
		'tap=none');
	fails(qr/--vif: .*colour/, 'network-attach', 'one', 'user,colour=red');
	says("3\n", 'network-attach', 'one', 'user');
	says('', 'network-detach', 'one', '2');
	fails(qr/the guest has no network interface 2$/, 'network-detach', 'one', '2');
	fails(qr/the guest has no network interface x$/, 'network-detach', 'one', 'x');
	is_deeply([ sort split /\n/, store('list', $tree) ], [ 0, 1, 3, 5 ], 'those that are left');
	says("2\n", 'network-attach', 'one', 'user', 'mac=00:16:3e:0a:0b:0c');
	fails(qr/no network interface 00:16:3e:0a:0b:0d$/, 'network-detach', 'one', '00:16:3e:0a:0b:0d');
	says('', 'network-detach', 'one', '00:16:3E:0A:0b:0c');
	is_deeply([ sort split /\n/, store('list', $tree) ], [ 0, 1, 3, 5 ], 'the one that was meant');
	is(xenemu('destroy', '--wait', 'one')->{status}, 0, 'destroyed');
	$guest->finish(60);
}

# begin_slow(): attach an interface; its passt has been started and is not ready yet
sub begin_slow {
	unlink "$dir/started", "$dir/go-on";
	my $attach = start_xenemu('network-attach', 'one', 'user');
	my $end = time + 120;
	select undef, undef, undef, 0.01 until -e "$dir/started" or time > $end;
	ok(-e "$dir/started", 'passt is started');
	return $attach;
}

# Whoever waits for passt, the guest does not.
sub slow_passt {
	mkdir "$dir/bin";
	write_file("$dir/bin/passt", "#!/bin/sh\n>'$dir/started'\n" .
		"until test -e '$dir/go-on' || ! test -e '$dir/started'; do sleep 0.01; done\n" .
		"PATH=\${PATH#*:} exec passt \"\$@\"\n");
	chmod 0755, "$dir/bin/passt";
	local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
	my $guest = start_guest();
	my $attach = begin_slow();
	like(xenemu('list')->{out}, qr/^one .* running$/m, 'the helper answers others');
	says("xvda\n", 'block-attach', 'one', image('a'));
	fails(qr/the guest has no network interface 0$/, 'network-detach', 'one', '0');
	write_file("$dir/go-on", '');
	is($attach->finish(60), 0, 'it comes when passt is ready') or diag $attach->messages;
	is($attach->console, "0\n", 'its number');
	$attach = begin_slow();
	is(xenemu('destroy', '--wait', 'one')->{status}, 0, 'destroyed meanwhile');
	is($attach->finish(60), 1, 'who waits is told: status');
	is($attach->messages, "xenemu: one: the guest is ending\n", 'who waits is told');
	is($guest->finish(60), 0, 'status');
	write_file("$dir/go-on", '');
}

sub installed {
	my ($program) = @_;
	return grep { -x "$_/$program" } split(/:/, $ENV{PATH}), '/usr/bin';
}

SKIP: {
	skip 'xenstore-utils is not installed', 1
		unless installed('xenstore-ls');
	subtest 'disks' => \&disks;
	skip 'no network namespaces here', 1 unless own_network();
	skip 'passt is not installed', 1 unless installed('passt');
	subtest 'networks' => \&networks;
	subtest 'a slow passt' => \&slow_passt;
}
done_testing;
