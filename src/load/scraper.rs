//! Asks for the service's metrics page on a thread of its own, and computes the scenario's formulas from what came.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use super::{
    formula,
    get::{Bounds, Place, get},
    prometheus::{MOST_PAGE_BYTES, Page},
    scenario::Formula,
    service::{Error, Running},
};

/// How long a page may take.
const SCRAPE: Duration = Duration::from_secs(2);
/// The formats that can be read, in the order in which they are liked.
const ACCEPT: &str = "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5, */*;q=0.1";

/// When a page was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Begin,
    Within,
    End,
}

/// Reads pages in the background.
#[derive(Debug)]
pub(super) struct Scraper {
    formulas: Vec<(String, formula::Formula)>,
    orders: Sender<Moment>,
    pages: Receiver<(Moment, Option<Page>)>,
    is_over: Arc<AtomicBool>,
    /// Pages that were asked for and have not come.
    outstanding: usize,
    /// The latest page of the window.
    latest: Option<Page>,
    /// What the formulas come to since the window's begin.
    readings: Vec<formula::State>,
    /// What the formulas came to between the two latest pages.
    fresh: BTreeMap<String, f64>,
}

impl Scraper {
    /// A scraper of the page `target` of a service; it has been read once when this returns.
    pub(super) fn new(running: &Running, formulas: &[Formula], target: &str) -> Result<Self, Error> {
        let parse = |formula: &Formula| {
            formula::Formula::parse(&formula.formula)
                .map(|parsed| (formula.name.clone(), parsed))
                .map_err(|source| Error::Formula { name: formula.name.clone(), source })
        };
        let formulas = formulas.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let place = Place::new(running.url(), target, running.socket())
            .map(|place| place.trusting(running.trust()))
            .map_err(|reason| Error::Url { url: target.to_owned(), reason })?;
        let wanted: BTreeSet<String> =
            formulas.iter().flat_map(|(_, formula)| formula.metrics()).map(str::to_owned).collect();
        let first = scrape(&place, &wanted, &AtomicBool::new(false));
        first.map_err(|reason| Error::Metrics { url: place.to_string(), reason })?;
        let (orders, ordered) = channel();
        let (sender, pages) = channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        // Should no thread start, every page stays out and the metrics have no value.
        let _ = std::thread::Builder::new().name("metrics".into()).spawn(move || {
            for moment in ordered {
                if sender.send((moment, scrape(&place, &wanted, &stop).ok())).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            formulas,
            orders,
            pages,
            is_over,
            outstanding: 0,
            latest: None,
            readings: Vec::new(),
            fresh: BTreeMap::new(),
        })
    }

    /// The window begins with the page that is asked for now.
    pub(super) fn begin(&mut self) {
        self.latest = None;
        self.readings.clear();
        self.order(Moment::Begin);
    }

    /// Asks for another page unless one is on its way; returns what came since the last tick.
    pub(super) fn tick(&mut self) -> BTreeMap<String, f64> {
        self.fresh.clear();
        while let Ok((moment, page)) = self.pages.try_recv() {
            self.take(moment, page);
        }
        if self.outstanding == 0 {
            self.order(Moment::Within);
        }
        std::mem::take(&mut self.fresh)
    }

    /// Asks for the last page, waits for it, and returns what the formulas come to over the window.
    pub(super) fn finish(&mut self) -> BTreeMap<String, f64> {
        // One may still be on its way before it.
        let deadline = Instant::now() + SCRAPE * 2;
        self.order(Moment::End);
        while self.outstanding > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok((moment, page)) = self.pages.recv_timeout(left) else { break };
            self.take(moment, page);
            if moment == Moment::End {
                break;
            }
        }
        let values = self.formulas.iter().zip(&self.readings);
        values.filter_map(|((name, formula), state)| Some((name.clone(), state.value(formula)?))).collect()
    }

    fn order(&mut self, moment: Moment) {
        if self.orders.send(moment).is_ok() {
            self.outstanding += 1;
        }
    }

    fn take(&mut self, moment: Moment, page: Option<Page>) {
        self.outstanding -= 1;
        // Without a page at its begin the window begins with the next one that came.
        let Some(page) = page else { return };
        if moment == Moment::Begin {
            self.latest = None;
        }
        match &self.latest {
            None => {
                self.readings = self.formulas.iter().map(|(_, f)| formula::State::new(f, &page)).collect();
            }
            Some(before) => {
                for ((name, formula), state) in self.formulas.iter().zip(&mut self.readings) {
                    state.add(formula, &page);
                    let mut since = formula::State::new(formula, before);
                    since.add(formula, &page);
                    if let Some(value) = since.value(formula) {
                        self.fresh.insert(name.clone(), value);
                    }
                }
            }
        }
        self.latest = Some(page);
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

fn scrape(place: &Place, wanted: &BTreeSet<String>, is_over: &AtomicBool) -> Result<Page, String> {
    let mut goes_on = || !is_over.load(Ordering::SeqCst);
    let mut bounds = Bounds { time: SCRAPE, body_bytes: MOST_PAGE_BYTES, goes_on: &mut goes_on };
    let answer = get(place, ACCEPT, &mut bounds).map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!("it answered {}", answer.status));
    }
    let names = wanted.iter().map(String::as_str).collect();
    let page = Page::read(&String::from_utf8_lossy(&answer.body), &names);
    if page.samples() == 0 && page.bad_lines() > 0 {
        return Err("it is no Prometheus page: none of its lines could be read".into());
    }
    Ok(page)
}
