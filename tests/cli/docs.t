#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The generated documents are what `make docs` makes of their sources today.

use strict;
use warnings;
use Cwd 'abs_path';
use FindBin;
use Test::More;

my $top = abs_path("$FindBin::Bin/../..");
my %made = (
	'docs/abi.md' => "'$top/hypercall-tables/generate' doc '$top'/hypercall-tables/*.tbl",
	'docs/tests.md' => "'$top/tests/guest/matrix'",
);

for my $document (sort keys %made) {
	open my $file, '<', "$top/$document" or die "$document: $!\n";
	my $text = join '', <$file>;
	ok $text eq `$made{$document}`, "$document is current (make docs)";
}
done_testing;
