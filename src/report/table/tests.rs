//! The table as users see it.

use super::{Style, render, wrap::wrap};
use crate::format::example;
use crate::model::{outcome::Outcome, verdict::Verdict};
use crate::text::escape::columns;

fn narrow(width: usize) -> Style {
    Style { width, ..Style::default() }
}

#[test]
fn a_regressed_check_shows_what_matters_first() {
    insta::assert_snapshot!(render(&example::verdict(), Style::default()), @"
    regressed: 1 of 6 benchmarks got slower (num/sieve +5.0 %)
    also error: 1 benchmark could not be measured
    also incomplete: 1 benchmark is missing

    verdict       benchmark          base     head   change          interval  rounds  scatter
    regressed     num/sieve       17.3 µs  18.1 µs   +5.0 %    +4.3 to +5.7 %       6    0.9 %
        slower, by 4.3 % at least
    failed        io/read
        head exited with code 101: thread 'main' panicked at benches/io.rs:12:5: no such file
    missing       num/gone
        only base has it; rename it in `tollgate.toml` or take it out on purpose
    waived        tree/walk       1.21 ms  1.30 ms   +8.0 %    +7.2 to +8.7 %       6    0.9 %
        slower by 8.0 %, waived up to 10 % by ada until 2027-01-31: the new tree keeps parents
    inconclusive  sort/quick      5.22 µs  5.42 µs   +3.9 %    -1.1 to +8.9 %       6   0.98 %
        a slowdown of up to 8.9 % could not be ruled out; give it more time with `--budget`
    improved      hash/fnv        2.32 µs  2.11 µs   -9.0 %    -9.8 to -8.3 %       6    1.9 %
        faster, by 8.3 % at least; store it with `tollgate baseline accept`
    new           sort/new
        only head has it; nothing to compare with
    unchanged     num/fact         815 ns   818 ns  +0.32 %  -0.41 to +0.87 %       6    1.3 %
    identical     layout/a|b <i>

    compared:  6 of 9 benchmarks, 1 identical, 1 inconclusive, 1 new, 1 missing, 1 failed, 1 left out, 5
               disturbed blocks thrown away
    left out:  x/skipped (`--filter num`)
    ruled out: a slowdown beyond the margin of 2 % for 2 of 5 tested, one of 10 % for 5 of 5
    noise:     processes scatter by 0.98 % (median), 1.9 % at most; the smallest change found four times
               in five: 0.9 %
    tests:     5 tests of time by Benjamini-Hochberg at 1 %; each end of an interval holds with 99.5 %
               confidence, what is ruled out with 90 %
    revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
    machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
               (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
    again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
               `tollgate judge` on its JSON judges it again
    warning:   `Cargo.lock` differs between base and head
    ");
}

#[test]
fn a_narrow_terminal_keeps_the_verdict_the_name_and_the_change() {
    insta::assert_snapshot!(render(&example::verdict(), narrow(60)), @"
    regressed: 1 of 6 benchmarks got slower (num/sieve +5.0 %)
    also error: 1 benchmark could not be measured
    also incomplete: 1 benchmark is missing

    verdict       benchmark        change          interval
    regressed     num/sieve        +5.0 %    +4.3 to +5.7 %
        slower, by 4.3 % at least
    failed        io/read
        head exited with code 101: thread 'main' panicked at
        benches/io.rs:12:5: no such file
    missing       num/gone
        only base has it; rename it in `tollgate.toml` or take
        it out on purpose
    waived        tree/walk        +8.0 %    +7.2 to +8.7 %
        slower by 8.0 %, waived up to 10 % by ada until
        2027-01-31: the new tree keeps parents
    inconclusive  sort/quick       +3.9 %    -1.1 to +8.9 %
        a slowdown of up to 8.9 % could not be ruled out; give
        it more time with `--budget`
    improved      hash/fnv         -9.0 %    -9.8 to -8.3 %
        faster, by 8.3 % at least; store it with `tollgate
        baseline accept`
    new           sort/new
        only head has it; nothing to compare with
    unchanged     num/fact        +0.32 %  -0.41 to +0.87 %
    identical     layout/a|b <i>

    compared:  6 of 9 benchmarks, 1 identical, 1 inconclusive, 1
               new, 1 missing, 1 failed, 1 left out, 5 disturbed
               blocks thrown away
    left out:  x/skipped (`--filter num`)
    ruled out: a slowdown beyond the margin of 2 % for 2 of 5
               tested, one of 10 % for 5 of 5
    noise:     processes scatter by 0.98 % (median), 1.9 % at
               most; the smallest change found four times in
               five: 0.9 %
    tests:     5 tests of time by Benjamini-Hochberg at 1 %;
               each end of an interval holds with 99.5 %
               confidence, what is ruled out with 90 %
    revisions: base 4f2a91c03 (main), head work tree; measured
               in turn, 71 s in all
    machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB,
               linux-x86_64 6.8, kvm, rustc 1.95.0 (f2d3ce0bd
               2026-03-21), profile bench; environment
               a3f09c0d4e5b6172
    again:     `tollgate check --base 4f2a91c03 --seed
               18446744073709551609` measures it again;
               `tollgate judge` on its JSON judges it again
    warning:   `Cargo.lock` differs between base and head
    ");
    insta::assert_snapshot!(render(&example::verdict(), narrow(40)), @"
    regressed: 1 of 6 benchmarks got slower
    (num/sieve +5.0 %)
    also error: 1 benchmark could not be
    measured
    also incomplete: 1 benchmark is missing

    verdict       benchmark        change
    regressed     num/sieve        +5.0 %
        slower, by 4.3 % at least
    failed        io/read
        head exited with code 101: thread
        'main' panicked at
        benches/io.rs:12:5: no such file
    missing       num/gone
        only base has it; rename it in
        `tollgate.toml` or take it out on
        purpose
    waived        tree/walk        +8.0 %
        slower by 8.0 %, waived up to 10 %
        by ada until 2027-01-31: the new
        tree keeps parents
    inconclusive  sort/quick       +3.9 %
        a slowdown of up to 8.9 % could not
        be ruled out; give it more time with
        `--budget`
    improved      hash/fnv         -9.0 %
        faster, by 8.3 % at least; store it
        with `tollgate baseline accept`
    new           sort/new
        only head has it; nothing to compare
        with
    unchanged     num/fact        +0.32 %
    identical     layout/a|b <i>

    compared:  6 of 9 benchmarks, 1
               identical, 1 inconclusive, 1
               new, 1 missing, 1 failed, 1
               left out, 5 disturbed blocks
               thrown away
    left out:  x/skipped (`--filter num`)
    ruled out: a slowdown beyond the margin
               of 2 % for 2 of 5 tested, one
               of 10 % for 5 of 5
    noise:     processes scatter by 0.98 %
               (median), 1.9 % at most; the
               smallest change found four
               times in five: 0.9 %
    tests:     5 tests of time by
               Benjamini-Hochberg at 1 %;
               each end of an interval holds
               with 99.5 % confidence, what
               is ruled out with 90 %
    revisions: base 4f2a91c03 (main), head
               work tree; measured in turn,
               71 s in all
    machine:   AMD EPYC 7763 64-Core
               Processor, 4 cores, 16 GiB,
               linux-x86_64 6.8, kvm, rustc
               1.95.0 (f2d3ce0bd
               2026-03-21), profile bench;
               environment a3f09c0d4e5b6172
    again:     `tollgate check --base
               4f2a91c03 --seed
               18446744073709551609`
               measures it again; `tollgate
               judge` on its JSON judges it
               again
    warning:   `Cargo.lock` differs between
               base and head
    ");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut verdict = example::verdict();
    verdict.judgements[0].display_id = "größe/日本語/".repeat(40);
    verdict.judgements[1].reason = "x".repeat(5_000);
    for width in [0, 40, 47, 60, 72, 80, 100, 133, 400] {
        let text = render(&verdict, narrow(width));
        let widest = text.lines().map(columns).max().unwrap();
        assert!(widest <= width.max(40), "{widest} in {width}:\n{text}");
    }
}

#[test]
fn a_clean_check_says_so() {
    let clean = example::verdict_of(&["num/fact", "hash/fnv", "layout/a|b <i>"], Outcome::Pass, "");
    insta::assert_snapshot!(render(&clean, Style::default()), @"
    pass: no regression in 3 benchmarks (1 improved, 1 unchanged, 1 identical)

    verdict    benchmark          base     head   change          interval  rounds  scatter
    improved   hash/fnv        2.32 µs  2.11 µs   -9.0 %    -9.8 to -8.3 %       6    1.9 %
        faster, by 8.3 % at least; store it with `tollgate baseline accept`
    unchanged  num/fact         815 ns   818 ns  +0.32 %  -0.41 to +0.87 %       6    1.3 %
    identical  layout/a|b <i>

    compared:  3 of 3 benchmarks, 1 identical
    ruled out: a slowdown beyond the margin of 2 % for 2 of 2 tested, one of 10 % for 2 of 2
    noise:     processes scatter by 1.9 %; the smallest change found four times in five: 0.9 %
    tests:     3 tests of time by Benjamini-Hochberg at 1 %; each end of an interval holds with 99.5 %
               confidence, what is ruled out with 90 %
    revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
    machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
               (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
    again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
               `tollgate judge` on its JSON judges it again
    ");
    let identical = example::verdict_of(&["layout/a|b <i>"], Outcome::Pass, "");
    insta::assert_snapshot!(render(&identical, Style::default()).lines().next().unwrap(), @"pass: the one benchmark has the same machine code on both sides");
}

#[test]
fn the_other_outcomes_give_their_reason() {
    let first =
        |ids: &[&str], outcome, reason| render(&example::verdict_of(ids, outcome, reason), Style::default());
    let blind = "a slowdown of 10 % could not be ruled out for 1 of 1 benchmark";
    let mut dark = example::verdict_of(&["sort/quick"], Outcome::Inconclusive, blind);
    dark.judgements[0].blind = Some(true);
    dark.judgements[0].change.as_mut().unwrap().upper = Some(0.171);
    dark.judgements[0].reason =
        "a slowdown of up to 17 % is possible; give it more time with `--budget`".into();
    insta::assert_snapshot!(render(&dark, Style { width: 120, ..Style::default() }), @"
    inconclusive: a slowdown of 10 % could not be ruled out for 1 of 1 benchmark

    verdict       benchmark      base     head  change         interval  rounds  scatter
    inconclusive  sort/quick  5.22 µs  5.42 µs  +3.9 %  -1.1 to +17.1 %       6   0.98 %
        a slowdown of up to 17 % is possible; give it more time with `--budget`

    compared:  1 of 1 benchmark, 1 inconclusive
    ruled out: a slowdown beyond the margin of 2 % for 0 of 1 tested, one of 10 % for 0 of 1
    noise:     processes scatter by 0.98 %; the smallest change found four times in five: 0.9 %
    tests:     1 test of time by Benjamini-Hochberg at 1 %; each end of an interval holds with 99.5 % confidence, what is
               ruled out with 90 %
    revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
    machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0 (f2d3ce0bd 2026-03-21),
               profile bench; environment a3f09c0d4e5b6172
    again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again; `tollgate judge` on its JSON
               judges it again
    ");
    insta::assert_snapshot!(first(&["sort/new", "num/gone"], Outcome::Incomplete, "1 benchmark vanished"), @"
    incomplete: 1 benchmark vanished

    verdict  benchmark  base  head  change  interval  rounds  scatter
    missing  num/gone
        only base has it; rename it in `tollgate.toml` or take it out on purpose
    new      sort/new
        only head has it; nothing to compare with

    compared:  0 of 2 benchmarks, 1 new, 1 missing
    revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
    machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
               (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
    again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
               `tollgate judge` on its JSON judges it again
    ");
    let failed = Outcome::Error(crate::model::outcome::ErrorClass::Measurement);
    insta::assert_snapshot!(first(&["io/read"], failed, "1 benchmark could not be measured"), @"
    error: 1 benchmark could not be measured

    verdict  benchmark  base  head  change  interval  rounds  scatter
    failed   io/read
        head exited with code 101: thread 'main' panicked at benches/io.rs:12:5: no such file

    compared:  0 of 1 benchmark, 1 failed
    revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
    machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
               (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
    again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
               `tollgate judge` on its JSON judges it again
    ");
    insta::assert_snapshot!(first(&[], Outcome::Incomplete, "no benchmarks were found"), @"
    incomplete: no benchmarks were found

    compared:  0 of 0 benchmarks
    revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
    machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
               (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
    again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
               `tollgate judge` on its JSON judges it again
    ");
}

#[test]
fn colours_come_only_when_asked_for_and_change_no_text() {
    let plain = render(&example::verdict(), Style::default());
    assert!(!plain.contains('\u{1b}'));
    let painted = render(&example::verdict(), Style { colour: true, ..Style::default() });
    assert!(painted.starts_with("\u{1b}[1;31mregressed"));
    let mut stripped = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped += before;
        rest = after.split_once('m').unwrap().1;
    }
    stripped += rest;
    let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(trimmed(&stripped), trimmed(&plain));
}

#[test]
fn a_long_table_counts_the_rows_without_news() {
    let mut verdict = example::verdict();
    for at in 0..30 {
        verdict.judgements.push(example::count_row(&format!("n/{at:02}"), 1e6, 1e6, Verdict::Unchanged));
    }
    let text = render(&verdict, Style::default());
    assert!(text.contains("and 31 unchanged, 1 identical (`-v` shows them)"), "{text}");
    assert!(!text.contains("n/07"));
    let text = render(&verdict, Style { verbose: true, ..Style::default() });
    assert!(text.contains("n/07 (instructions)"));
    assert!(text.contains("a slowdown of more than 0.9 % is ruled out"));
}

#[test]
fn wrapping_cuts_words_only_when_it_must() {
    assert_eq!(wrap("aaa bbb ccc", 2, 12), "  aaa bbb\n  ccc\n");
    assert_eq!(wrap(&"x".repeat(12), 0, 10), "xxxxxxxxxx\nxx\n");
    assert_eq!(wrap("aaaaaaaa ::error::x", 1, 11), " aaaaaaaa\n \\::error::\n x\n");
    assert_eq!(wrap("xxxxxxxxxx::error::", 0, 10), "xxxxxxxxxx\n\\::error::\n");
    assert_eq!(wrap("aaaa 10 % bb", 0, 10), "aaaa 10 %\nbb\n");
    assert_eq!(wrap("aaaaa bb 10 % b", 0, 10), "aaaaa bb\n10 % b\n");
}
