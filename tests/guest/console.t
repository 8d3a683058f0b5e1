#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Consoles that lead elsewhere: Debian's kernel with its primary console on a pty, a
# second one on a socket, a third one in a file, and `xenemu console` at them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use File::Temp;
use IO::Socket::UNIX;
use TestGuests;

my $dir = File::Temp->newdir;
my $name = "console-$$";
my $guest = run_guest('--kernel', fetched('linux'), '--ramdisk', initramfs(), '--memory', 256,
	'--machine', (machines())[0], '--name', $name, '--extra', 'console=hvc0 mode=shell',
	'--console', "pty:$dir/tty,log=$dir/log,log-size=8K", '--console', "unix:$dir/socket",
	'--console', "file:$dir/file");
$guest->close_input;
ok($guest->expect_message(qr/^xenemu: console 1: \Q$dir\E\/socket$/m, limit(2)), 'it starts')
	or diag explain($guest);
like($guest->messages, qr{^xenemu: console 0: \Q@{[readlink "$dir/tty"]}\E$}m,
	"the pty's name is told, and the link leads there");

# in_store(PATH): what a tool of the host finds there
sub in_store {
	my ($path) = @_;
	local $ENV{XENSTORED_PATH} = "$ENV{XENEMU_RUNTIME_DIR}/$name/xenstore";
	my $value = `xenstore-read $path`;
	chomp $value;
	return $value;
}
is(in_store('/local/domain/1/console/tty'), readlink "$dir/tty", 'xenstore has its name');
is(in_store('/local/domain/1/device/console/1/output'), 'chardev', 'and the second console');

sub contents {
	my ($file) = @_;
	open my $in, '<', $file or return '';
	local $/;
	return scalar <$in>;
}

# The kernel's first lines, though it printed them before anybody looked.
my $first = run_console($name);
ok($first->expect(qr/guest# /, limit(20)), 'a prompt on the pty') or diag explain($first);
like($first->console, qr/Linux version/, 'with all that came before it');
$first->type("echo first-\$((1 + 1))\n");
ok($first->expect(qr/^first-2\r?$/m, limit(2)), 'takes input') or diag explain($first);

# A second console is a terminal of its own.
my $second = run_console($name, '--num', 1);
$first->type('while read -r line; do eval "$line"; done < /dev/hvc1 > /dev/hvc1 2>&1 &' . "\n");
$second->type("echo at-\$((2 + 2)); cat /sys/bus/xen/devices/console-1/state\n");
ok($second->expect(qr/^at-4\r?\nConnected\r?$/m, limit(2)), 'a shell at the second console')
	or diag explain($second), diag explain($first);
unlike($first->console, qr/at-4/, 'which is not the first');

# One client at a time; the next one when that has left.
my $other = run_console($name, '-n', 1);
is($other->finish(limit(2)), 0, 'a second client is sent away');
like($other->console, qr/somebody else is at this console/, 'and told why');
kill TERM => $second->pid;
$second->finish(limit(2));
my $socket = IO::Socket::UNIX->new(Peer => "$dir/socket") or diag "connect: $!";
$socket->print("echo by-\$((3 + 3))\n");
my $line = '';
alarm limit(2);
while (defined $line && $line !~ /^by-6/) {
	$line = $socket->getline;
}
alarm 0;
like($line, qr/^by-6\r?$/, 'any other client can take its place');
close $socket;

$first->type("echo third > /dev/hvc2; dmesg; exit\n");
is($first->finish(limit(10)), 0, 'xenemu console ends with the guest')
	or diag explain($first);
is($guest->finish(limit(5)), 0, 'which powers off') or diag explain($guest);
is($guest->console, '', 'nothing of it is on standard output');
like(contents("$dir/file"), qr/^third\r?$/, 'the third console is in the file');

my $log = contents("$dir/log.1") . contents("$dir/log");
$log =~ s/\r//g;
is($log, substr($first->console, -length $log), 'the log has what the console showed, to the end');
cmp_ok(-s "$dir/$_", '<=', 8192, "$_ is within its limit") for 'log', 'log.1';
is(-s "$dir/log.1", 8192, 'the older log is full');
ok(!-l "$dir/tty" && !-e "$dir/socket", 'link and socket are gone');
done_testing;
