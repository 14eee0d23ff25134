//! What the service uses while it is under load: its process tree, and formulas over its metrics page.
//!
//! The tree is read where the watch is called; that takes well under a millisecond. The page is asked for on a thread of its own,
//! so that a service which answers slowly never delays whoever watches.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::{
    model::load::{Allowance, Costs},
    process::{
        limits::{Limits, limits},
        tree::Usage,
    },
};

use super::{
    scenario::Formula,
    scraper::Scraper,
    service::{Error, Family, Running, lock},
    watch::{ServiceWatch, Tick},
};

/// Processor time over less than this says nothing: two looks a moment apart once told of eight busy processors of two.
const SHORTEST: Duration = Duration::from_millis(50);

/// Watches one service.
#[derive(Debug)]
pub struct Watch {
    /// `None` for a service that was not started by us.
    family: Option<Arc<Mutex<Family>>>,
    scraper: Option<Scraper>,
    limits: Limits,
    /// Processor time at the window's begin, nanoseconds.
    began_ns: Option<u64>,
    /// When the processor time was read last, and what it was.
    last: Option<(Instant, u64)>,
    /// The most of everything since the window's begin.
    peak: Option<Usage>,
}

impl Watch {
    /// A watch over `running`. With formulas, its page is read once to see that it can be.
    ///
    /// # Errors
    /// When a formula is none, or there are some and the page cannot be read.
    pub fn new(running: &Running, formulas: &[Formula], target: &str) -> Result<Self, Error> {
        let scraper = match formulas {
            [] => None,
            some => Some(Scraper::new(running, some, target)?),
        };
        let family = running.family().cloned();
        let limits = family.as_ref().map_or_else(Limits::default, |family| limits(lock(family).id()));
        Ok(Self { family, scraper, limits, began_ns: None, last: None, peak: None })
    }

    /// Reads the tree; the processors that were busy since the last reading come with it.
    fn read(&mut self) -> Option<(Usage, Option<f64>)> {
        let usage = lock(self.family.as_ref()?).usage()?;
        let now = Instant::now();
        let busy = self.last.and_then(|(then, cpu_ns)| {
            let elapsed = now.duration_since(then);
            let spent = usage.cpu_ns.saturating_sub(cpu_ns) as f64;
            (elapsed >= SHORTEST).then(|| spent / elapsed.as_nanos() as f64)
        });
        if busy.is_some() || self.last.is_none() {
            self.last = Some((now, usage.cpu_ns));
        }
        let peak = self.peak.get_or_insert(usage);
        peak.rss_peak_bytes = peak.rss_peak_bytes.max(usage.rss_peak_bytes);
        peak.threads = peak.threads.max(usage.threads);
        peak.descriptors = peak.descriptors.max(usage.descriptors);
        Some((usage, busy))
    }
}

impl ServiceWatch for Watch {
    fn begin(&mut self) {
        self.peak = None;
        self.began_ns = self.read().map(|(usage, _)| usage.cpu_ns);
        if let Some(scraper) = &mut self.scraper {
            scraper.begin();
        }
    }

    fn tick(&mut self) -> Tick {
        let read = self.read();
        let living = read.filter(|(usage, _)| usage.processes > 0);
        Tick {
            cpu: read.and_then(|(_, busy)| busy),
            rss_bytes: living.map(|(usage, _)| usage.rss_bytes),
            metrics: self.scraper.as_mut().map(Scraper::tick).unwrap_or_default(),
        }
    }

    fn finish(&mut self) -> Costs {
        let read = self.read();
        let peak = self.peak.filter(|peak| peak.rss_peak_bytes > 0);
        Costs {
            cpu_ns: read.zip(self.began_ns).map(|((usage, _), began)| usage.cpu_ns.saturating_sub(began)),
            rss_peak_bytes: peak.map(|peak| peak.rss_peak_bytes),
            threads_peak: peak.map(|peak| peak.threads),
            descriptors_peak: peak.map(|peak| peak.descriptors),
            memory_limit_bytes: self.limits.memory_bytes,
            cpu_limit: self.limits.processors,
            metrics: self.scraper.as_mut().map(Scraper::finish).unwrap_or_default(),
        }
    }

    fn allowance(&self) -> Allowance {
        Allowance { memory_bytes: self.limits.memory_bytes, processors: self.limits.processors }
    }

    fn alive(&mut self) -> Result<(), String> {
        self.family.as_ref().map_or(Ok(()), |family| lock(family).alive())
    }
}
