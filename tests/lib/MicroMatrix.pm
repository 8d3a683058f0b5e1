# SPDX-License-Identifier: GPL-2.0-or-later
package MicroMatrix;

# Which micro guests run where: the data of tests/guest/micro.t, and of
# docs/tests.md, which tests/guest/matrix makes of it.  A guest has a word size
# if there is a transcript for it: tests/guest/expected/[WIDTH/]NAME.txt.

use strict;
use warnings;
use Exporter 'import';
use Cwd 'abs_path';
use File::Basename qw(basename dirname);

our @EXPORT = qw(combinations guests_of why_not_in subject_of);

my $top = abs_path(dirname(__FILE__) . "/../..");

# Guests whose subject an ABI does not have, and why.
my %not_in = (
	'xen-3.1' => {
		'hypercall-page' => 'today\'s form of the page',
		'sysenter' => 'no such callback',
		'vcpu-down' => 'the domain goes on without vCPUs',
		'vcpu-info' => 'no VCPUOP_register_vcpu_info',
		'xsave' => 'no XSAVE',
	},
);
$not_in{'xen-3.0.3'} = {
	%{ $not_in{'xen-3.1'} },
	'event-reset' => 'no EVTCHNOP_reset',
	'singleshot' => 'no VCPUOP_set_singleshot_timer',
	'timer' => 'the tick can\'t be stopped',
};

# combinations(): [width, ABI] of all that are tested, today's first
sub combinations {
	return (
		[ 'x86_64', 'xen-4' ], [ 'x86_64', 'xen-3.1' ], [ 'x86_64', 'xen-3.0.3' ],
		[ 'x86_32p', 'xen-4' ], [ 'x86_32p', 'xen-3.1' ], [ 'x86_32p', 'xen-3.0.3' ],
		[ 'x86_32', 'xen-3.1' ], [ 'x86_32', 'xen-3.0.3' ],
	);
}

# guests_of(WIDTH): names of the guests that have a transcript for it
sub guests_of {
	my ($width) = @_;
	my $place = $width eq 'x86_64' ? '' : "$width/";
	return sort map { basename $_, '.txt' } glob "$top/tests/guest/expected/$place*.txt";
}

# why_not_in(ABI, NAME): why it doesn't run there; undef: it does
sub why_not_in { return $not_in{ $_[0] }{ $_[1] } }

# subject_of(NAME): what its source says it is about
sub subject_of {
	my ($name) = @_;
	open my $file, '<', "$top/guest-images/micro/$name.c" or die "$name.c: $!\n";
	local $/;
	my ($text) = <$file> =~ m{^(?: |/)\* \Q$name\E - (.*?)(?:\n \*\n|\n? \*/)}ms
		or die "$name.c does not say what it is\n";
	return $text =~ s/\n \* / /gr;
}

1;
