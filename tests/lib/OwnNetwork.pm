# SPDX-License-Identifier: GPL-2.0-or-later
package OwnNetwork;

# `use OwnNetwork' starts the test again in a network namespace of its own, which has an
# interface that leads nowhere, so that passt finds an address to give.  Where that is
# not allowed the test goes on where it is: see own_network().

use strict;
use warnings;

sub import {
	my $caller = caller;
	no strict 'refs';
	*{"${caller}::own_network"} = \&own_network;
	return if $ENV{XENEMU_NET_TEST};
	$ENV{XENEMU_NET_TEST} = 1;
	# As root, or in a user namespace where that is allowed
	my @options = $> ? qw(--user --map-root-user --net) : '--net';
	my $set_up = 'PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && ' .
		'ip link add nowhere type veth peer name end && ip link set end up && ' .
		'ip addr add 10.2.3.4/24 dev nowhere && ip link set nowhere up && ' .
		'ip route add default via 10.2.3.1';
	exec 'unshare', @options, 'sh', '-c', "$set_up && exec \"\$@\"", 'sh', $^X, $0
		if system("unshare @options sh -c '$set_up' 2>/dev/null") == 0;
}

# own_network(): is there such a namespace?
sub own_network {
	local $ENV{PATH} = "$ENV{PATH}:/usr/sbin:/sbin";
	return `ip -o link show nowhere 2>/dev/null` ne '';
}

1;
