# SPDX-License-Identifier: GPL-2.0-or-later
package GuestRun;

# Runs a command (xenemu, QEMU) and talks to its console through pipes: waits
# for text, types, notes when each line arrived.  Never sleeps: every wait is
# for text, the end of the output or the end of the process, and has a limit.

use strict;
use warnings;
use Carp;
use Errno qw(EINTR);
use File::Temp ();
use POSIX ();
use Time::HiRes qw(time);

# Guests of tests are not in the way of anybody's names.
my $runtime = File::Temp->newdir;
$ENV{XENEMU_RUNTIME_DIR} //= "$runtime";

# What is left to perl's last moments is not removed.
END {
	local $?;
	undef $runtime;
}

# start(command => [...], closed_input => 1): begin to run it
sub start {
	my ($class, %arg) = @_;
	pipe(my $in_read, my $in_write) or croak "pipe: $!";
	pipe(my $out_read, my $out_write) or croak "pipe: $!";
	pipe(my $err_read, my $err_write) or croak "pipe: $!";
	my $self = bless {
		command => $arg{command}, started => time, lines => [], seen => 0,
		text => { out => '', err => '' }, in => $in_write,
		from => { out => $out_read, err => $err_read },
	}, $class;
	$self->{pid} = fork // croak "fork: $!";
	if (!$self->{pid}) {
		POSIX::dup2(fileno $in_read, 0);
		POSIX::dup2(fileno $out_write, 1);
		POSIX::dup2(fileno $err_write, 2);
		POSIX::close(0) if $arg{closed_input};
		no warnings 'exec';
		exec { $arg{command}[0] } @{ $arg{command} }
			or POSIX::_exit(127);
	}
	$self->close_input if $arg{closed_input};
	return $self;
}

# expect(REGEX, SECONDS): wait until the console's output after the last match
# fits; true, or false after SECONDS or at the end of the output
sub expect {
	my ($self, $pattern, $seconds) = @_;
	my $deadline = time + $seconds;
	while (1) {
		pos($self->{text}{out}) = $self->{seen};
		if ($self->{text}{out} =~ /$pattern/g) {
			$self->{seen} = pos $self->{text}{out};
			return 1;
		}
		return 0 if !$self->{from}{out} || !$self->read_some($deadline);
	}
}

# expect_message(REGEX, SECONDS): the same for standard error, all of it
sub expect_message {
	my ($self, $pattern, $seconds) = @_;
	my $deadline = time + $seconds;
	while ($self->{text}{err} !~ $pattern) {
		return 0 if !$self->{from}{err} || !$self->read_some($deadline);
	}
	return 1;
}

# type(TEXT): write it to the console, all of it
sub type {
	my ($self, $text) = @_;
	local $SIG{PIPE} = 'IGNORE';
	while (length $text) {
		my $n = syswrite $self->{in}, $text;
		return 0 if !defined $n && $! != EINTR;
		substr($text, 0, $n // 0) = '';
	}
	return 1;
}

sub close_input {
	my ($self) = @_;
	close delete $self->{in} if $self->{in};
}

# finish(SECONDS): read until it ends; its exit status, 128 + signal, or undef
# (and it is killed) after SECONDS
sub finish {
	my ($self, $seconds) = @_;
	my $deadline = time + $seconds;
	while ($self->{from}{out} || $self->{from}{err}) {
		if (!$self->read_some($deadline)) {
			$self->stop;
			return undef;
		}
	}
	$self->{ended} = time;
	$self->reap;
	return $self->{status};
}

# What came so far on standard output (without carriage returns) and on
# standard error
sub console { return $_[0]{text}{out} =~ s/\r//gr }
sub messages { return $_[0]{text}{err} }

# seconds_to(REGEX): from the start to the arrival of the first line that fits
sub seconds_to {
	my ($self, $pattern) = @_;
	for my $line (@{ $self->{lines} }) {
		return $line->[0] - $self->{started} if $line->[1] =~ $pattern;
	}
	return undef;
}

# seconds(), cpu_seconds(): from start to end; CPU time of it and its children
sub seconds { return $_[0]{ended} - $_[0]{started} }
sub cpu_seconds { return $_[0]{cpu} }
sub pid { return $_[0]{pid} }

# read_some(DEADLINE): wait for output and take it; false when time is up
sub read_some {
	my ($self, $deadline) = @_;
	my $bits = '';
	for my $name (grep { $self->{from}{$_} } qw(out err)) {
		vec($bits, fileno $self->{from}{$name}, 1) = 1;
	}
	my $left = $deadline - time;
	return 0 if $left <= 0;
	my $n = select my $ready = $bits, undef, undef, $left;
	return $! == EINTR if $n < 0;
	return 0 if $n == 0;
	for my $name (grep { $self->{from}{$_} } qw(out err)) {
		$self->take($name) if vec($ready, fileno $self->{from}{$name}, 1);
	}
	return 1;
}

sub take {
	my ($self, $name) = @_;
	my $text = \$self->{text}{$name};
	my $n = sysread $self->{from}{$name}, $$text, 65536, length $$text;
	if ($n) {
		$self->note_lines(time) if $name eq 'out';
	} elsif (defined $n || $! != EINTR) {
		close delete $self->{from}{$name};
	}
}

sub note_lines {
	my ($self, $now) = @_;
	pos($self->{text}{out}) = $self->{line_end} // 0;
	while ($self->{text}{out} =~ /([^\n]*)\n/g) {
		push @{ $self->{lines} }, [ $now, $1 =~ s/\r//gr ];
		$self->{line_end} = pos $self->{text}{out};
	}
}

sub reap {
	my ($self) = @_;
	return if defined $self->{status};
	my $before = child_cpu();
	waitpid $self->{pid}, 0;
	$self->{cpu} = child_cpu() - $before;
	$self->{status} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
}

sub child_cpu {
	my (undef, undef, $user, $system) = times;
	return $user + $system;
}

# stop(): end it, now
sub stop {
	my ($self) = @_;
	return if defined $self->{status};
	local ($?, $!);
	kill TERM => $self->{pid};
	local $SIG{ALRM} = sub { kill KILL => $self->{pid} };
	alarm 10;
	$self->reap;
	alarm 0;
}

sub DESTROY { $_[0]->stop }

1;
