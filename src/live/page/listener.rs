//! The page as a listener beside the terminal: both hear the same events.

use super::dashboard::Dashboard;
use crate::progress::{Event, Progress};

/// Tells the page, then the listener that was there before.
pub struct WithPage<'a> {
    page: &'a Dashboard,
    other: &'a dyn Progress,
}

impl<'a> WithPage<'a> {
    /// Both of them.
    #[must_use]
    pub fn new(page: &'a Dashboard, other: &'a dyn Progress) -> Self {
        Self { page, other }
    }
}

impl Progress for WithPage<'_> {
    fn tell(&self, event: Event) {
        match &event {
            Event::Phase(words) => self.page.mark(words),
            Event::May(limits) => self.page.may_use(*limits),
            Event::Load(second) => self.page.interval(second),
            _ => {}
        }
        self.other.tell(event);
    }

    fn wants_stop(&self) -> bool {
        self.page.wants_stop() || self.other.wants_stop()
    }
}
