//! Progress as a live bar, for terminals.

use super::lines::{counted_words, load_words, measuring_words};
use crate::{
    progress::{Event, Progress},
    text::escape,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A bar on standard error that stands below the lines worth keeping.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar that is drawn at once.
    #[must_use]
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(spinner());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

/// The template is a constant, so a fault in it would show in every test; the default style is the way out all the same.
fn styled(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn spinner() -> ProgressStyle {
    styled("{spinner} {wide_msg} [{elapsed}]")
}

impl Progress for Bar {
    fn tell(&self, event: Event) {
        match event {
            Event::Phase(words) => {
                self.bar.set_style(spinner());
                self.bar.reset_elapsed();
                self.bar.set_message(escape::terminal(&words));
            }
            Event::Note(words) => self.bar.println(format!("  {}", escape::terminal(&words))),
            Event::Warning(words) => self.bar.println(format!("warning: {}", escape::terminal(&words))),
            Event::Measuring(standing) => {
                let counted = counted_words(&standing);
                self.bar.set_style(styled(&format!(
                    "{{spinner}} [{{bar:24}}] {{pos}}/{{len}} {counted}  {{wide_msg}}"
                )));
                self.bar.set_length(standing.benchmarks as u64);
                self.bar.set_position(standing.decided as u64);
                self.bar.set_message(measuring_words(&standing));
            }
            Event::Load(second) if second.is_scrap() => {}
            Event::Load(second) => self.bar.set_message(load_words(&second)),
            Event::May(_) => {}
            Event::Done => self.bar.finish_and_clear(),
        }
    }
}
