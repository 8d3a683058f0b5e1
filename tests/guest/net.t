#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Network of Debian's stock kernel, unmodified: by passt, with an address by DHCP and a
# port forwarded inwards, and by a tap on a bridge, with what is left to the other end
# of checksums and segmentation.  All in a network namespace of its own, which has an
# interface that leads nowhere, so that passt finds an address to give.
use strict;
use warnings;

use Digest::SHA 'sha256_hex';
use File::Temp;
use FindBin;
use IO::Socket::INET;
use lib "$FindBin::Bin/../lib";
use OwnNetwork;
use Test::More;
use TestCommand 'xenemu';
use TestGuests;
use DiskGuest;

$ENV{PATH} .= ':/usr/sbin:/sbin';
plan skip_all => 'no network namespaces here' unless own_network();

my $dir = File::Temp->newdir;
my $machine = (machines())[0];
my $size = 3_000_000;
srand 1;
my $data = join '', map { pack 'N', rand 2**32 } 1 .. $size / 4;
my $sum = sha256_hex($data);

# --- the host's ends ---

# Answers every connection with the data, as HTTP; a process of its own
sub start_server {
	my $listen = IO::Socket::INET->new(Listen => 5, LocalAddr => '0.0.0.0') or die "listen: $!";
	my $pid = fork // die "fork: $!";
	return ($pid, $listen->sockport) if $pid;
	while (my $client = $listen->accept) {
		while (<$client>) {
			last if /^\r?$/;
		}
		print $client "HTTP/1.0 200 OK\r\nContent-Length: $size\r\n\r\n", $data;
		close $client;
	}
	exit;
}

# send_to(PORT): connect there and send the data; passt answers before the guest does
sub send_to {
	my ($port) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
		or return "connect: $!";
	print $socket $data;
	close $socket;
	return '';
}

# received(LISTENER): SHA-256 of what the next connection brings
sub received {
	my ($listen) = @_;
	my $bytes = '';
	local $SIG{ALRM} = sub { die "nothing came\n" };
	alarm limit(5);
	my $client = $listen->accept;
	1 while sysread $client, $bytes, 1 << 16, length $bytes;
	alarm 0;
	return sha256_hex($bytes);
}

sub free_port {
	return IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
}

sub comm_of {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/comm" or return '';
	return scalar <$file> // '';
}

# Processes called passt of this namespace
sub passts {
	my $own = readlink '/proc/self/ns/net';
	return grep { comm_of($_) =~ /^passt/ && (readlink("/proc/$_/ns/net") // '') eq $own }
		map { m{(\d+)$} } glob '/proc/[0-9]*';
}

# /sys shows another namespace's.
sub exists_interface {
	my ($name) = @_;
	return system("ip link show $name >/dev/null 2>&1") == 0;
}

# interface_packets(NAME): frames that came in there
sub interface_packets {
	my ($name) = @_;
	return `ip -s link show $name` =~ /RX:.*\n\s*\d+\s+(\d+)/ ? $1 : 'none';
}

# --- the guest ---

sub gets {
	my ($guest, $url, $name) = @_;
	is(says($guest, "wget -q -O - $url | sha256sum"), "$sum  -", $name)
		or diag explain($guest);
}

sub packets {
	my ($guest, $way, $interface) = @_;
	return says($guest, "cat /sys/class/net/$interface/statistics/${way}_packets");
}

sub by_passt {
	my ($guest, $server, $forwarded) = @_;
	# udhcpc tells a program what it has got.
	status($guest, q(printf '#!/bin/sh\n[ $1 = bound ] || exit 0\n' >/dhcp; ) .
		q(echo 'ip addr add $ip/$mask dev $interface' >>/dhcp; ) .
		q(echo 'ip route add default via $router' >>/dhcp; chmod +x /dhcp));
	does($guest, 'mkdir /sys; mount -t sysfs sys /sys; ip link set lo up; ' .
		'ip link set eth0 up', 'eth0 is there');
	does($guest, 'udhcpc -i eth0 -n -q -s /dhcp', 'an address by DHCP');
	like(says($guest, 'ip -4 -o addr show eth0'), qr{ 10\.2\.3\.4/24 }, "the host's");
	is(in_store('device/vif/0/mtu'), 65516, 'xenstore has the MTU that is offered with it');
	gets($guest, "http://10.2.3.1:$server/", 'fetches a page through passt');

	# With an input that does not end: passt stalls when one side is done early.
	does($guest, 'mkfifo /quiet; nc -l -p 7000 <>/quiet >/in & ' .
		'until netstat -ltn | grep -q :7000; do usleep 10000; done', 'listens');
	is(send_to($forwarded), '', 'the forwarded port takes a connection');
	does($guest, 'wait', 'the guest has read it to its end');
	is(says($guest, 'cat /in | sha256sum'), "$sum  -", 'all of it');
}

# in_store(PATH): what a tool of the host finds below the guest's home there
sub in_store {
	my ($path) = @_;
	local $ENV{XENSTORED_PATH} = "$ENV{XENEMU_RUNTIME_DIR}/net/xenstore";
	my $value = `xenstore-read /local/domain/1/$path`;
	chomp $value;
	return $value;
}

sub by_bridge {
	my ($guest, $server) = @_;
	does($guest, 'ip addr add 10.7.0.2/24 dev eth1; ip link set eth1 up', 'eth1 is there');
	like(says($guest, 'cat /sys/class/net/eth1/address'), qr/^02:00:00:00:07:02$/,
		'its address');
	does($guest, 'ping -c 1 -w 60 10.7.0.1', 'the host answers pings');
	my $before = packets($guest, 'rx', 'eth1');
	gets($guest, "http://10.7.0.1:$server/", 'fetches a page over the bridge');
	cmp_ok(packets($guest, 'rx', 'eth1') - $before, '<', $size / 1448 / 2,
		'in frames that are segmented nowhere');

	my $listen = IO::Socket::INET->new(Listen => 1, LocalAddr => '10.7.0.1');
	my $port = $listen->sockport;
	is(in_store('device/vif/1/mtu'), 1500, "xenstore has the tap's MTU");
	does($guest, "wget -q -O /data http://10.7.0.1:$server/", 'has something to send');
	$guest->type("nc 10.7.0.1 $port </data\n");
	is(received($listen), $sum, 'the host gets what the guest sends');
	cmp_ok(interface_packets('net-test'), '<', 2 * $size / 1448,
		'in frames that are segmented nowhere') or diag explain($guest);
}

# Frames that are longer than a page and not to be segmented
sub by_long_frames {
	my ($guest, $server) = @_;
	run_or_die('ip link set net-test mtu 9000 && ip link set br7 mtu 9000');
	does($guest, 'ip link set eth1 mtu 9000', 'takes long frames');
	does($guest, 'ping -c 3 -s 8000 -w 60 10.7.0.1', 'pings of 8000 bytes');
	gets($guest, "http://10.7.0.1:$server/", 'fetches a page');
}

# The driver lets go of the interface and takes it again: closed and connected again.
sub reconnects {
	my ($guest) = @_;
	my $driver = '/sys/bus/xen/drivers/vif';
	does($guest, "echo vif-1 >$driver/unbind", 'the driver lets go');
	does($guest, '[ ! -e /sys/class/net/eth1 ]', 'the interface is gone');
	does($guest, "echo vif-1 >$driver/bind", 'the driver takes it again');
	does($guest, 'until ip addr add 10.7.0.2/24 dev eth1; do usleep 10000; done; ' .
		'ip link set eth1 up', 'eth1 is there');
	does($guest, 'ping -c 1 -w 60 10.7.0.1', 'the host answers pings again');
}

sub passt_dies {
	my ($guest) = @_;
	my @passts = passts();
	is(scalar @passts, 1, 'there is one passt');
	kill KILL => @passts;
	my $deadline = time + limit(5);
	1 while $guest->messages !~ /\n/ && $guest->read_some($deadline);
	like($guest->messages, qr/^xenemu: net: vif 0: passt has ended \(.*\); .*\n\z/,
		'its end is told, and nothing else was');
	does($guest, 'ping -c 1 -w 60 10.7.0.1', 'the other interface works on');
}

sub tap_is_removed {
	my ($guest) = @_;
	run_or_die('ip link del net-test');
	ok($guest->expect_message(qr/vif 1 \(net-test\): .* removed; .* network-detach net 1.*$/m,
		limit(5)), 'it is told, with what to do') or diag $guest->messages;
}

# In place of the removed one, and taken away while it is up
sub comes_and_goes {
	my ($guest) = @_;
	my $detach = xenemu('network-detach', 'net', 1);
	is($detach->{status}, 0, 'the interface without a tap is detached') or diag $detach->{err};
	does($guest, 'until [ ! -e /sys/class/net/eth1 ]; do usleep 10000; done', 'it is gone');
	my $attach = xenemu('network-attach', 'net', 'bridge=br7', 'vifname=net-test');
	is_deeply([ @$attach{'status', 'out'} ], [ 0, "1\n" ], 'another one is attached')
		or diag $attach->{err};
	does($guest, 'until ip addr add 10.7.0.2/24 dev eth1; do usleep 10000; done; ' .
		'ip link set eth1 up', 'eth1 is there');
	does($guest, 'ping -c 1 -w 60 10.7.0.1', 'the host answers pings');
	is(xenemu('network-detach', 'net', 1)->{status}, 0, 'detached while it is up');
	does($guest, 'until [ ! -e /sys/class/net/eth1 ]; do usleep 10000; done', 'it is gone');
	ok(!exists_interface('net-test'), 'and so is its tap');
}

sub works {
	my ($pid, $server) = start_server();
	my $forwarded = free_port();
	run_or_die('ip link add br7 type bridge && ip addr add 10.7.0.1/24 dev br7 && ' .
		'ip link set br7 up');
	disk_ramdisk($dir);
	my $guest = boot_with($machine, 'net', '--vif', "user,hostfwd=tcp:$forwarded:7000",
		'--vif', 'bridge=br7,mac=02:00:00:00:07:02,vifname=net-test');
	subtest 'passt' => sub { by_passt($guest, $server, $forwarded) };
	subtest 'bridge' => sub { by_bridge($guest, $server) };
	subtest 'long frames' => sub { by_long_frames($guest, $server) };
	subtest 'the driver is loaded again' => sub { reconnects($guest) };
	subtest 'passt dies' => sub { passt_dies($guest) };
	subtest 'the tap is removed' => sub { tap_is_removed($guest) };
	subtest 'interfaces come and go' => sub { comes_and_goes($guest) };
	$guest->type("exit\n");
	is($guest->finish(limit(10)), 0, 'powers off with exit status 0') or diag explain($guest);
	kill TERM => $pid;
	waitpid $pid, 0;
}

# However the helper ends, passt and the tap do not outlive it.
sub leaves_nothing {
	my $guest = run_guest('--kernel', micro_guest('console-echo'), '--memory', 16, '--machine',
		$machine, '--vif', 'user', '--vif', 'bridge=br7,vifname=short-lived');
	ok($guest->expect(qr/./, limit(5)), 'a guest with interfaces runs') or
		diag explain($guest);
	is(scalar(passts()), 1, 'and a passt');
	ok(exists_interface('short-lived'), 'and a tap');
	kill KILL => $guest->pid;
	$guest->finish(limit(5));
	my $deadline = time + limit(5);
	select undef, undef, undef, 0.01
		while time < $deadline && (passts() || exists_interface('short-lived'));
	is(scalar(passts()), 0, 'passt has gone with it');
	ok(!exists_interface('short-lived'), 'the tap, too');
}

# A tap that was made for somebody is used as it is.
sub uses_a_tap {
	run_or_die('ip tuntap add mine mode tap');
	my $guest = run_guest('--kernel', micro_guest('shutdown-reboot'), '--memory', 16,
		'--machine', $machine, '--vif', 'tap=mine');
	$guest->close_input;
	is($guest->finish(limit(5)), 3, 'a guest with a tap ends as it should');
	like($guest->messages, qr/vif 0 \(mine\): the interface mine of the host is down; .*\n/,
		'and the user was told that the tap is down');
	ok(exists_interface('mine'), 'the tap is still there');
}

sub refuses {
	my ($vif, $pattern) = @_;
	my $guest = run_guest('--kernel', micro_guest('shutdown-reboot'), '--memory', 16,
		'--machine', $machine, '--vif', $vif);
	$guest->close_input;
	is($guest->finish(limit(5)), 2, "--vif $vif: status 2");
	like($guest->messages, qr/\Axenemu: $pattern\n\z/, "--vif $vif: message");
}

sub refuses_what_is_not_there {
	my $taken = IO::Socket::INET->new(Listen => 1, LocalAddr => '0.0.0.0');
	my $port = $taken->sockport;
	refuses('tap=none', qr/--vif tap=none: the host has no such interface; make it .*/);
	refuses('tap=nowhere', qr/--vif tap=nowhere: this is no tap/);
	refuses('bridge=none', qr/--vif bridge=none: the host has no such interface; make it .*/);
	refuses('bridge=nowhere', qr/--vif bridge=nowhere: this is no bridge/);
	refuses('bridge=br7,vifname=nowhere',
		qr/--vif bridge=br7: the host has an interface of that vifname already/);
	refuses("user,hostfwd=tcp:$port:22",
		qr/--vif user: hostfwd=tcp:$port: the host's port can't be had: Address already .*/);
	# Nothing in the way but passt
	symlink `which qemu-system-x86_64` =~ s/\n//r, "$dir/qemu-system-x86_64";
	local $ENV{PATH} = "$dir";
	refuses('user', qr/--vif user: there is no program passt; install the package passt/);
}

subtest "on $machine" => \&works;
subtest 'the helper is killed' => \&leaves_nothing;
subtest 'a tap' => \&uses_a_tap;
subtest 'what is not there' => \&refuses_what_is_not_there;
done_testing;
