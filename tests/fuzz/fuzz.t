#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A short run of each fuzzer: its corpus, then so many inputs made from it, the same
# each time.  FUZZ_SECONDS=N in the environment: a long one.
use strict;
use warnings;
use File::Basename 'basename';
use File::Temp;
use FindBin;
use Test::More;

my $build = $ENV{XENEMU_BUILD} // "$FindBin::Bin/../../build";
# FUZZ_SECONDS: as many runs as there is time for, and each time others.
my $seconds = $ENV{FUZZ_SECONDS};
my $runs = $ENV{FUZZ_RUNS} // 4000;
# Those that make a whole device each time
my %share = (blkif => 1 / 4);

my @fuzzers = grep { -x } map { "$build/fuzz/" . basename($_, '.c') } glob("$FindBin::Bin/fuzz-*.c");
plan skip_all => 'no fuzzers were built: clang is missing' unless @fuzzers;

sub fuzz {
	my ($fuzzer) = @_;
	my $name = basename($fuzzer) =~ s/^fuzz-//r;
	my $dir = File::Temp->newdir;
	my ($corpus, $dict) = ("$FindBin::Bin/corpus/$name", "$FindBin::Bin/$name.dict");
	# The first directory is for what it finds, so that the corpus stays as it is.
	my @dirs = ("$dir", -d $corpus ? $corpus : ());
	my $times = $seconds ? -1 : int($runs * ($share{$name} // 1));
	my @options = ("-runs=$times", '-seed=' . ($seconds ? 0 : 1),
		'-max_total_time=' . ($seconds // 60), '-timeout=20',
		'-rss_limit_mb=2048', "-artifact_prefix=$dir/", -e $dict ? "-dict=$dict" : ());
	my $out = qx($fuzzer @options @dirs 2>&1);
	my $status = $?;
	is($status, 0, $name) or diag substr($out, -6000);
	like($out, qr/^Done \d+ runs/m, "$name came to its end");
}

fuzz($_) for @fuzzers;
done_testing;
