//! What to look at, given what was seen of a service under load. Each piece of advice rests on a rule that was fulfilled, and names its
//! evidence with figures; a healthy run has none.
//!
//! | file | what it owns |
//! |---|---|
//! | `seen` | what is known of one scenario, and the questions that rules ask of it |
//! | `rules` | the rules, the weightiest first |

mod rules;
mod seen;

#[cfg(test)]
mod tests;

use crate::{
    judge::over_time::OverTime,
    model::{
        load::{Advice, Summary, Trial},
        run::Side,
    },
};
use rules::RULES;
use seen::Seen;

/// More advice than this is a list that nobody reads.
const MOST: usize = 3;

/// At most three pieces of advice on head, the weightiest first. `levels` are those of scenarios that were asked at several.
pub(super) fn advise(load: &[Summary], levels: &[Summary], trials: &[Trial], time: &OverTime) -> Vec<Advice> {
    let of_head = load.iter().filter(|summary| summary.side == Side::Head && summary.is_valid());
    let seen: Vec<Seen<'_>> = of_head.map(|head| Seen::of(head, levels, trials, time)).collect();
    let found = RULES.iter().flat_map(|rule| {
        seen.iter().filter_map(|seen| {
            let (code, text) = rule(seen)?;
            Some(Advice { code: code.to_owned(), scenario: seen.head.scenario.clone(), text })
        })
    });
    found.take(MOST).collect()
}
