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
        let name = escape::terminal(&format!("{}:{}", listed.benchmark.target, listed.benchmark.id));
        let what = match &listed.fate {
            None => {
                measured += 1;
                let how = match listed.method {
                    SlotMethod::Lockstep => "",
                    SlotMethod::Solo => ", one process a slot",
                    SlotMethod::Files => ", from criterion's files",
                    SlotMethod::Foreign => ", from another tool",
                };
                format!("{} a block{how}", quantity::seconds(listed.block_seconds))
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
    for warning in &listing.warnings {
        let _ = writeln!(text, "warning: {}", escape::terminal(&warning.message));
    }
    if let Some(why) = &listing.interrupted {
        let _ = writeln!(text, "the list is not complete: {}", escape::terminal(why));
    }
    text
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
