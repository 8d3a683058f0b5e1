# SPDX-License-Identifier: GPL-2.0-or-later
package TestCommand;

# What the command-line tests share: run the program to its end, look at it.

use strict;
use warnings;
use Exporter 'import';
use Cwd 'abs_path';
use File::Basename 'dirname';
use GuestRun;
use Test::More;

our @EXPORT = qw(program guest xenemu refuses start_xenemu write_file read_file processes);

my $top = abs_path(dirname(__FILE__) . "/../..");
my $build = $ENV{XENEMU_BUILD} // "$top/build";

# No run here takes seconds on a quiet machine; none may hang a test.
my $limit = 120;

# program(): path of xenemu
sub program { return "$build/xenemu" }

# guest(NAME): path of a built guest of tests/cli/guests
sub guest { return "$build/guests/cli/$_[0].elf" }

# start_xenemu(ARGS...): a GuestRun
sub start_xenemu { return GuestRun->start(command => [ program(), @_ ]) }

# xenemu(ARGS...): run it to its end with empty input
sub xenemu { return finish(GuestRun->start(command => [ program(), @_ ], closed_input => 1)) }

sub finish {
	my ($run) = @_;
	my $status = $run->finish($limit);
	return { status => $status // 'timeout', out => $run->console, err => $run->messages };
}

# refuses(RAN, PATTERN, NAME): status 2 and exactly one line that fits
sub refuses {
	my ($ran, $pattern, $name) = @_;
	subtest $name => sub {
		is($ran->{status}, 2, 'status');
		like($ran->{err}, qr/\Axenemu: [^\n]+\n\z/, 'one line');
		like($ran->{err}, $pattern, 'says what is wrong');
		is($ran->{out}, '', 'nothing on the console');
	} or diag $ran->{err};
}

sub write_file {
	my ($path, $bytes) = @_;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $bytes;
	close $file or die "$path: $!";
	return $path;
}

sub read_file {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/;
	return scalar <$file>;
}

# processes(PID): children of a process
sub processes {
	my ($pid) = @_;
	my @children;
	for my $stat (glob '/proc/[0-9]*/stat') {
		open my $file, '<', $stat or next;
		my $line = <$file> // next;
		push @children, $1 if $line =~ /^(\d+) \(.*\) \S+ \Q$pid\E /;
	}
	return @children;
}

1;
