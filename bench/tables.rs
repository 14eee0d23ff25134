//! How the figures are printed: a rate with its binomial standard error, a table with the published figure beside ours.

use std::fmt;

/// How often something happened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rate {
    pub(crate) hits: u32,
    pub(crate) cases: u32,
}

impl Rate {
    pub(crate) fn add(&mut self, hit: bool) {
        self.hits += u32::from(hit);
        self.cases += 1;
    }

    pub(crate) fn share(self) -> f64 {
        f64::from(self.hits) / f64::from(self.cases.max(1))
    }

    fn standard_error(self) -> f64 {
        (self.share() * (1.0 - self.share()) / f64::from(self.cases.max(1))).sqrt()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.cases >= 3000 { 4 } else { 3 };
        write!(f, "{:.digits$}±{:.digits$}", self.share(), self.standard_error())
    }
}

/// The mean of numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    pub(crate) fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }
}

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.sum / self.count.max(1.0))
    }
}

pub(crate) fn title(text: &str, columns: &str) {
    println!("\n## {text}\n");
    row(columns.split('|').next().unwrap_or_default(), columns.split('|').skip(1), "published");
}

/// One row: a label, our figures, and the published ones as they were written.
pub(crate) fn row<T: fmt::Display>(label: &str, ours: impl IntoIterator<Item = T>, published: &str) {
    let cells: String = ours.into_iter().map(|cell| format!(" {:>15}", cell.to_string())).collect();
    println!("{label:<46}{cells}   {published}");
}
