//! What `check --list` prints: who would be measured, how, and at what cost.

use crate::{
    measure::Listing,
    model::run::{Fate, SlotMethod},
    text::{escape, plural, quantity},
};
use std::fmt::Write;

/// Blocks after which most clean benchmarks are decided, and the most that any gets.
const USUAL_BLOCKS: u32 = 4;
const MOST_BLOCKS: u32 = 13;

/// The listing as lines; ends in a newline.
#[must_use]
pub(super) fn listing_text(listing: &Listing, budget_seconds: f64) -> String {
    let mut text = String::new();
    let mut measured = 0;
    for listed in &listing.benchmarks {
        // The id of a load benchmark says `load:` itself.
        let name = match listed.method {
            SlotMethod::Load | SlotMethod::Command => listed.benchmark.id.to_string(),
            _ => format!("{}:{}", listed.benchmark.target, listed.benchmark.id),
        };
        let name = escape::terminal(&name);
        let what = match &listed.fate {
            None => {
                measured += 1;
                let how = match listed.method {
                    SlotMethod::Lockstep => "",
                    SlotMethod::Solo => ", one process a slot",
                    SlotMethod::Files => ", from criterion's files",
                    SlotMethod::Foreign => ", from another tool",
                    SlotMethod::Load => ", a fresh server a slot",
                    SlotMethod::Command => {
                        "one process a slot; its benchmarks and what they cost are known when it runs"
                    }
                };
                match listed.method {
                    SlotMethod::Command => how.to_owned(),
                    _ => format!("{} a block{how}", quantity::seconds(listed.block_seconds)),
                }
            }
            Some(fate) => fate_words(fate),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}  {what}");
    }
    let _ = writeln!(
        text,
        "{} would be measured: about {} for {USUAL_BLOCKS} blocks of each, at most {} for {MOST_BLOCKS}; the budget is {}",
        plural::count(measured, "benchmark"),
        quantity::seconds(listing.seconds(USUAL_BLOCKS)),
        quantity::seconds(listing.seconds(MOST_BLOCKS)),
        quantity::seconds(budget_seconds),
    );
    if let Some(sentence) = shared_budget(listing, budget_seconds) {
        let _ = writeln!(text, "{sentence}");
    }
    for warning in &listing.warnings {
        let _ = writeln!(text, "warning: {}", escape::terminal(&warning.message));
    }
    if let Some(why) = &listing.interrupted {
        let _ = writeln!(text, "the list is not complete: {}", escape::terminal(why));
    }
    text
}

/// How criterion and load benchmarks share the budget, where there are both.
fn shared_budget(listing: &Listing, budget_seconds: f64) -> Option<String> {
    let seconds = |load: bool| -> f64 {
        let of_kind = listing.benchmarks.iter().filter(|listed| (listed.method == SlotMethod::Load) == load);
        of_kind.map(|listed| listed.block_seconds).sum()
    };
    let (load, others) = (seconds(true), seconds(false));
    (load > 0.0 && others > 0.0).then(|| {
        let share = (load * f64::from(MOST_BLOCKS)).min(budget_seconds / 2.0);
        format!(
            "load benchmarks come last and have {} of the budget, and what the others leave of theirs",
            quantity::seconds(share)
        )
    })
}

fn fate_words(fate: &Fate) -> String {
    match fate {
        Fate::Measured => "measured".into(),
        Fate::Identical => "identical: same machine code on both sides".into(),
        Fate::New => "new: only head has it".into(),
        Fate::Missing => "missing: only base has it".into(),
        Fate::Failed { side, message } => {
            let on = side.map_or(String::new(), |side| format!(" on {}", side.as_str()));
            format!("failed{on}: {}", escape::terminal(message))
        }
        Fate::Ignored(why) => format!("left out: {}", escape::terminal(why)),
    }
}
