#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Micro guests that do their worst to their devices, to xenstore and with events: each
# says how it was refused, and that it is served well afterwards.  The helper says what
# the guest did, ends as the guest does, and its memory is what it always is.

use strict;
use warnings;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use OwnNetwork;
use Test::More;
use TestGuests;

# KiB: what guests have as memory, and what the helper may take besides, at any time and
# at the end; sanitizers have memory of their own.
my $guest_kib = 32 << 10;
my $most_peak = $guest_kib + (48 << 10);
my $most_private = 16 << 10;
my $sanitized = `nm '${\ xenemu_path()}'` =~ /__asan_init/;

my $dir = File::Temp->newdir;

plan skip_all => 'machine qemu can\'t run guests here' unless grep { $_ eq 'qemu' } machines();
subtest 'event-flood' => sub { run_hostile('event-flood') };
subtest 'hostile-store' => \&store;
subtest 'hostile-block' => \&block;
SKIP: {
	skip 'no network namespaces here', 1 unless own_network();
	skip 'passt is not installed', 1
		unless grep { -x "$_/passt" } split(/:/, $ENV{PATH}), '/usr/bin';
	subtest 'hostile-net' => \&net;
}
done_testing;

# run_hostile(NAME, OPTIONS...): a guest at its end, with its results as ours
sub run_hostile {
	my ($name, @options) = @_;
	my $guest = run_guest('--kernel', micro_guest($name), '--machine', 'qemu', '--memory',
		$guest_kib >> 10, '--stats', '--timeout', limit(5), @options);
	$guest->close_input;
	is $guest->finish(limit(6)), 0, 'exit status' or diag explain($guest);
	my ($plan) = $guest->console =~ /^1\.\.(\d+)$/m;
	my @ok = $guest->console =~ /^ok \d+/mg;
	is scalar @ok, $plan, 'all that the guest tried' or diag explain($guest);
	check_memory($guest->messages);
	return $guest;
}

sub check_memory {
	my ($stats) = @_;
	my %most = (peak => $most_peak, anon => $most_private);
	for my $what (sort keys %most) {
		my ($kib) = $stats =~ /^stat: helper-rss-$what-kib (\d+)$/m;
		ok defined $kib, "$what: measured";
		SKIP: {
			skip 'sanitizers need memory of their own', 1 if $sanitized;
			cmp_ok $kib, '<', $most{$what}, "$what: KiB of the helper";
		}
	}
}

sub store {
	my $guest = run_hostile('hostile-store');
	like $guest->messages, qr/connection is closed: .* replies that were never sent$/m,
		'why xenstore hung up';
}

# The disk is full of H; the guest leaves G in its first page, and may write below
# sector 3072.
sub block {
	my $disk = "$dir/disk.img";
	write_file($disk, 'H' x (2 << 20));
	my $guest = run_hostile('hostile-block', '--disk', "$disk,raw,xvda,w,persistent");
	my @messages = $guest->messages =~ /^xenemu: \S+ vbd 51712 \(xvda\): (.*)$/mg;
	like $messages[0], qr/ring makes no sense: 33 requests$/, 'what was wrong with the ring';
	is scalar(grep { /key ring-ref is not a number/ } @messages), 4, 'and with keys';
	is $messages[-1], 'further failures are not reported', 'and so on';
	is scalar @messages, 11, 'not for ever';
	my $data = read_file($disk);
	is length $data, 2 << 20, 'the disk has its size';
	ok substr($data, 0, 4096) eq 'G' x 4096, 'what was written well is there';
	ok substr($data, 3072 * 512) eq 'H' x (1024 * 512), 'all else is as it was';
}

sub net {
	my $guest = run_hostile('hostile-net', '--vif', 'user');
	my @messages = $guest->messages =~ /^xenemu: \S+ vif 0: (.*)$/mg;
	is_deeply [ map { s/\d+/N/gr } @messages ], [
		('the guest sent N bytes from N of a page on') x 2,
		'the guest announced more of a frame than it sent',
		'the guest sent a frame of more than N slots',
		'the guest announced more about a frame than it sent',
		'the guest sent information of an unknown type N',
		'the guest announced more about a frame than it sent',
		('the guest wants segments of N bytes, type N') x 2,
		'the guest\'s index of frames to send is more than a ring ahead',
		'further failures are not reported',
	], 'what was wrong' or diag explain($guest);
}

sub write_file {
	my ($path, $data) = @_;
	open my $file, '>', $path or die "$path: $!\n";
	print $file $data;
	close $file or die "$path: $!\n";
}

sub read_file {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return <$file>;
}
