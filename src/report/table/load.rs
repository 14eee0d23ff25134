//! Load on a terminal: grids that fold their columns where there is no room, then targets and score.

use super::{draw::Style, wrap::wrap};
use crate::report::{
    load::{Grid, LoadView, Met, ScenarioView, ScoreView, TierView},
    stress::StressView,
};
use crate::text::{
    escape::{columns, shortened, terminal},
    plural,
};

/// Between two columns.
const GAP: usize = 2;
/// The widest first column.
const NAME: usize = 32;

/// All sections, each after an empty line; ends in a newline.
pub(super) fn render(view: &LoadView, style: Style) -> String {
    let mut text: String = view.stress.iter().map(|view| stress(view, style)).collect();
    text.extend(view.scenarios.iter().map(|view| scenario(view, style)));
    if view.more > 0 {
        text +=
            &wrap(&format!("and {} in the JSON", plural::count(view.more, "more scenario")), 0, style.width);
    }
    if !view.tiers.is_empty() {
        text += &format!("\n{}\n", bold("targets", style));
    }
    for tier in &view.tiers {
        text += &self::tier(tier, style);
    }
    if let Some(view) = &view.score {
        text += &score(view, style);
    }
    if !view.advice.is_empty() {
        text += &format!("\n{}\n", bold("what to look at", style));
    }
    for advice in &view.advice {
        text += &wrap(&format!("· {}", terminal(advice)), 2, style.width);
    }
    text
}

/// A search, then its steps.
fn stress(view: &StressView, style: Style) -> String {
    let title = format!("{}: {}", shortened(&terminal(&view.name), 60), terminal(&view.summary));
    let mut text = format!("\n{}", bold_lines(&wrap(&title, 0, style.width), style));
    for line in &view.lines {
        text += &wrap(&terminal(line), 2, style.width);
    }
    text + &grid(&view.steps, style.width)
}

fn scenario(view: &ScenarioView, style: Style) -> String {
    let title = format!("{}: {}", shortened(&terminal(&view.name), 60), terminal(&view.load));
    let mut text = format!("\n{}", bold_lines(&wrap(&title, 0, style.width), style));
    for note in &view.notes {
        text += &wrap(&terminal(note), 2, style.width);
    }
    for drawn in [&view.levels, &view.clocks, &view.numbers, &view.endpoints] {
        text += &grid(drawn, style.width);
    }
    text
}

fn tier(view: &TierView, style: Style) -> String {
    let demanded = if view.required { ", demanded" } else { "" };
    let line = format!("{} {}: {}{demanded}", view.met.sign(), terminal(&view.name), view.met.as_str());
    let mut text = paint(&wrap(&line, 0, style.width), view.met, style);
    for (met, part) in &view.parts {
        text += &wrap(&format!("{} {}", met.sign(), terminal(part)), 4, style.width);
    }
    text
}

fn score(view: &ScoreView, style: Style) -> String {
    let mut text = format!(
        "\n{}",
        bold_lines(&wrap(&format!("score {}", terminal(&view.summary)), 0, style.width), style)
    );
    let header = ["part", "value", "points", "mark", "weight"].map(str::to_owned).to_vec();
    let row = |part: &[String; 6]| part.iter().take(5).cloned().collect();
    let lines = Grid { header, rows: view.parts.iter().map(row).collect() };
    text += &grid(&lines, style.width);
    text += "\n";
    for part in &view.parts {
        text += &wrap(&format!("{}: {}", terminal(&part[0]), terminal(&part[5])), 2, style.width);
    }
    for note in &view.notes {
        text += &wrap(&terminal(note), 2, style.width);
    }
    text
}

/// A grid after an empty line, indented by two; columns that find no room follow below, under the names again.
fn grid(grid: &Grid, width: usize) -> String {
    if grid.rows.is_empty() {
        return String::new();
    }
    let cell = |row: &Vec<String>, at: usize| terminal(row.get(at).map_or("", String::as_str));
    let lines = || std::iter::once(&grid.header).chain(&grid.rows);
    let widest = |at: usize| lines().map(|row| columns(&cell(row, at))).max().unwrap_or(0);
    let name = widest(0).min(NAME).min(width / 2);
    let mut text = String::new();
    let mut first = 1;
    while first < grid.header.len() {
        let mut used = 2 + name + GAP + widest(first);
        let mut end = first + 1;
        while end < grid.header.len() && used + GAP + widest(end) <= width {
            used += GAP + widest(end);
            end += 1;
        }
        text += "\n";
        for row in lines() {
            let label = shortened(&cell(row, 0), name);
            let mut line = format!("  {label}{}", " ".repeat(name.saturating_sub(columns(&label))));
            for at in first..end {
                // A cell that is wider than the terminal loses its middle.
                let room = widest(at).min(width.saturating_sub(2 + name + GAP).max(1));
                let shown = shortened(&cell(row, at), room);
                line += &" ".repeat(GAP + room.saturating_sub(columns(&shown)));
                line += &shown;
            }
            let line = line.trim_end();
            if !line.is_empty() {
                text += line;
                text += "\n";
            }
        }
        first = end;
    }
    text
}

fn bold(text: &str, style: Style) -> String {
    if style.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn bold_lines(lines: &str, style: Style) -> String {
    lines.lines().map(|line| bold(line, style) + "\n").collect()
}

fn paint(lines: &str, met: Met, style: Style) -> String {
    let code = match met {
        Met::Yes => 32,
        Met::No => 31,
        Met::NotShown => 33,
    };
    if !style.colour {
        return lines.to_owned();
    }
    lines.lines().map(|line| format!("\u{1b}[{code}m{line}\u{1b}[0m\n")).collect()
}

#[cfg(test)]
mod tests {
    use crate::format::example;
    use crate::report::table::{Style, render};
    use crate::text::escape::columns;

    fn section(style: Style) -> String {
        let text = render(&example::load_verdict(), style);
        let start = text.find("load:").map_or(0, |at| text[..at].rfind('\n').map_or(0, |at| at + 1));
        let end = text.find("\ncompared:").unwrap_or(text.len());
        text[start..end].to_owned()
    }

    #[test]
    fn both_clocks_stand_side_by_side() {
        insta::assert_snapshot!(section(Style::default()), @r"
        load:checkout: 200 requests/s for 8.0 s after 1.0 s of warm-up
          1 of 2 windows of base does not count
          the generator was late: send lag p99 12 ms
          1 of 2 windows of head does not count
          the generator was late: send lag p99 12 ms

                 response, base  response, head  service, base  service, head
          p50            211 µs          232 µs         106 µs         116 µs
          p90           4.00 ms         4.40 ms        2.00 ms        2.20 ms
          p95            100 ms          110 ms        50.0 ms        55.0 ms
          p99            420 ms          462 ms         210 ms         231 ms
          p99.9        ≥ 990 ms        ≥ 1.09 s         495 ms         544 ms
          max          ≥ 1.00 s        ≥ 1.10 s         500 ms         550 ms

                                            base            head
          requests due                     1,600           1,600
          answered as expected             1,560           1,560
          errors                              30              30
          · timeout                           12              12
          · status                            18              18
          unfinished                          10              10
          sent again                           2               2
          error rate                       2.5 %           2.5 %
          availability                     100 %           100 %
          throughput              195 requests/s  195 requests/s
          concurrent users, peak              12              12
          pool wait, p95                 1.00 ms         1.10 ms
          first byte, p95                40.0 ms         44.0 ms
          CPU per request                 612 µs          673 µs
          CPUs busy                         0.12            0.13
          memory, peak                  41.0 MiB        41.0 MiB
          memory of its limit                4 %             4 %
          threads, peak                        9               9
          descriptors, peak                   64              64
          answers                       1.00 MiB        1.00 MiB
          pool_use                          0.31            0.31
          generator late, p99             420 µs          462 µs

        targets
        ✓ minimum viable: met
            ✓ latency.p95 110 ms, to be below 500 ms
        ✗ production: missed, demanded
            ✓ latency.p95 110 ms, to be below 200 ms
            ✗ error_rate 2.5 %, to be below 2 %
            ? concurrent_users 12, to be at least 1,000 (at most 12 in flight, more were not asked for)
        ? battle-tested: not shown
            ? availability 100 %, to be at least 99.5 % (8.0 s of load, 3 min 20 s would show it)

        score 6.8 of 10: not production ready, combat-capable; 60 % of the table was measured

          part               value  points       mark  weight
          latency.p95       110 ms     8.8       good    25 %
          error_rate         2.5 %     6.8       fair    25 %
          concurrent_users       –       –          –    20 %
          cache_hit_rate         –       –          –    10 %
          memory               4 %    10.0  excellent    10 %
          cpu                    –       –          –    10 %

          latency.p95: measured over 8.0 s at 200 requests/s (1,600 requests)
          error_rate: measured over 8.0 s at 200 requests/s (1,600 requests)
          concurrent_users: not measured: at most 12 in flight, 500 are the least that counts
          cache_hit_rate: not measured: the scenario has no metric `cache_hit_rate`
          memory: measured over 8.0 s at 200 requests/s (1,600 requests)
          cpu: not measured: what the service uses was not measured
          never above the points of the error rate: failing fast is no merit
        ");
    }

    #[test]
    fn every_line_fits_the_terminal() {
        for width in 40..130 {
            for line in section(Style { width, ..Style::default() }).lines() {
                assert!(columns(line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_narrow_terminal_shows_every_number() {
        let (narrow, wide) = (section(Style { width: 40, ..Style::default() }), section(Style::default()));
        for number in ["232 µs", "116 µs", "≥ 1.10 s", "673 µs", "2.5 %", "41.0 MiB"] {
            assert!(narrow.contains(number) && wide.contains(number), "{number}");
        }
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        assert!(!section(Style::default()).contains('\u{1b}'));
        let coloured = section(Style { colour: true, ..Style::default() });
        assert!(
            coloured.contains("\u{1b}[31m✗ production") && coloured.contains("\u{1b}[32m✓ minimum viable")
        );
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        let mut verdict = example::load_verdict();
        let hostile = "a\u{1b}[2J\n::error::b\u{202e}";
        for load in &mut verdict.load {
            load.scenario = hostile.into();
            load.slots.void = vec![hostile.into()];
            load.costs.metrics = [(hostile.to_owned(), 1.0)].into();
            load.endpoints.push(load.endpoints[0].clone());
            load.endpoints[0].name = hostile.into();
        }
        for tier in &mut verdict.targets {
            tier.tier = hostile.into();
            tier.parts[0].note = hostile.into();
        }
        if let Some(score) = &mut verdict.score {
            score.parts[0].basis = hostile.into();
            score.notes = vec![hostile.into()];
        }
        for width in [40, 100] {
            let text = render(&verdict, Style { width, ..Style::default() });
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
            assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
            assert!(text.lines().all(|line| columns(line) <= width), "{text}");
        }
    }
}
