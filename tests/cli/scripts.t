#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The scripts' own manners: help, refusal of what they don't know; and the
# initramfs, which must come out the same each time.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Temp 'tempdir';
use FindBin;
use Test::More;

my $top = abs_path("$FindBin::Bin/../..");
my $dir = tempdir(CLEANUP => 1);

# run(COMMAND): its status, and its output of both kinds
sub run {
	my ($command) = @_;
	my $out = `$command 2>&1 </dev/null`;
	return ($? >> 8, $out);
}

for my $script (qw(scripts/demo scripts/check scripts/bench scripts/bench-net scripts/bench-disk
	scripts/xen-host guest-images/fetch guest-images/initramfs/build
	guest-images/disk-bench/build guest-images/net-bench/build guest-images/xen-host/build
	guest-images/debian-disk/build guest-images/minimal-disk/build)) {
	my ($status, $out) = run("$top/$script --help");
	is($status, 0, "$script --help: status");
	like($out, qr{\Ausage: \Q$script\E}, "$script --help: says how");
	($status, $out) = run("$top/$script --nonsense");
	is($status, 2, "$script --nonsense: status") or diag $out;
	like($out, qr/--help/, "$script --nonsense: says what to do");
}
for my $command ('guest-images/disk-bench/build --fio', 'guest-images/net-bench/build --iperf3',
	'scripts/bench-net --iperf3 --xen') {
	my ($status, $out) = run("$top/$command");
	is($status, 2, "$command: status") or diag $out;
}
for my $words ('disks', '--machine', 'disk --machine', 'disk --shell', '--abi ""') {
	my ($status, $out) = run("$top/scripts/demo $words");
	is($status, 2, "scripts/demo $words: status") or diag $out;
}

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	local $/;
	return <$file>;
}

for my $name (qw(one two)) {
	my ($status, $out) = run("$top/guest-images/initramfs/build $dir/$name");
	is($status, 0, "initramfs $name") or diag $out;
}
ok(slurp("$dir/one") eq slurp("$dir/two"), 'the same bytes twice');
my @made = (stat "$dir/one")[1, 9];
run("$top/guest-images/initramfs/build $dir/one");
is_deeply([ (stat "$dir/one")[1, 9] ], \@made, 'not made again when there is nothing new');

# --- the script that runs fio for bench-disk, with one that is played here ---

my $fio = <<'EOF';
#!/bin/sh
echo "$*" >"$0.words"
case $* in *missing*) echo "fio: no such device"; exit 1 ;; esac
cat <<END
job : Saving output of prerun in job.prerun.txt
{ "jobs" : [ { "job_runtime" : 470,
      "read" : {
        "runtime" : 464,
        "total_ios" : 1000,
        "lat_ns" : { "mean" : 12.5 }
      },
      "write" : {
        "runtime" : 0,
        "total_ios" : 0,
      } } ] }
END
EOF

{
	open my $file, '>', "$dir/fio" or die "fio: $!\n";
	print $file $fio;
	close $file;
	chmod 0755, "$dir/fio";
	local $ENV{PATH} = "$dir:$ENV{PATH}";
	my $requests = "$top/guest-images/disk-bench/requests-fio";
	my ($status, $out) = run("$requests xvda read random 4096 32 1000");
	is($status, 0, 'requests-fio: status');
	is($out, "requests: 1000 in 0.464 s\n", 'requests-fio: what bench-disk reads');
	like(slurp("$dir/fio.words"), qr/--filename=\/dev\/xvda --rw=randread --bs=4096 --iodepth=32 --io_size=4096000 /,
		'requests-fio: what fio is told');
	($status, $out) = run("$requests missing write seq 4096 1 10");
	is($status, 1, 'requests-fio: fio fails: status');
	is($out, "fio: no such device\n", 'requests-fio: fio fails: says why');
	like(slurp("$dir/fio.words"), qr/--rw=write /, 'requests-fio: sequential');
}

# --- scripts/demo-disk, with a guest that is played here ---

# Its kernel writes into what is typed, until it is told not to.
my $played = <<'EOF';
#!/usr/bin/perl
use strict;
use warnings;
use IO::Socket::INET;
$| = 1;
my $noise = "[  104.18] powernow_k8: none\n";
print "Welcome to GRUB!\n${noise}[    0.00] Linux version 6.1.0 (x)\nguest login: ";
while (my $line = <STDIN>) {
	chomp $line;
	my $echo = length $noise ? substr($line, 0, 1) . $noise . substr($line, 1) : $line;
	last if $line eq 'poweroff';
	print $line eq 'root' ? "$echo\nPassword: " : $line eq 'guest' ? "\n" : "$echo\n";
	$noise = '' if $line eq 'dmesg -n 1';
	print "xvda 202:0 ${noise}disk\nxvda1 part /\n" if $line eq 'lsblk';
	print "enX0: up\n    ${noise}inet 10.0.2.15/24\n" if $line eq 'ip addr';
	print page($1) if $line =~ /^wget .*:(\d+)\/$/;
	print 'root@guest:~# ' unless $line eq 'root';
}
print "\n";
sub page {
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$_[0]") or die "connect: $!\n";
	print $socket "GET / HTTP/1.0\r\n\r\n";
	return join '', <$socket>;
}
EOF

{
	my $tree = "$dir/tree";
	mkdir $_ for $tree, map { "$tree/$_" } qw(build scripts tests tests/lib);
	open my $file, '>', "$tree/build/xenemu" or die "xenemu: $!\n";
	print $file $played;
	close $file;
	chmod 0755, "$tree/build/xenemu";
	system('cp', "$top/scripts/demo-disk", "$tree/scripts") == 0 or die "cp failed\n";
	system('cp', "$top/tests/lib/GuestRun.pm", "$tree/tests/lib") == 0 or die "cp failed\n";
	my ($status, $out) = run("$tree/scripts/demo-disk none.img");
	is($status, 0, 'demo-disk, a line of the kernel in one that was typed: status') or diag $out;
	like($out, qr{^demo: shown: from GRUB \(\d+ s\) to Debian's Linux 6\.1\.0 \(\d+ s\), a login}m,
		'demo-disk: what was shown');
}

done_testing;
