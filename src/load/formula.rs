//! Metrics of the scenario's own: `hits / (hits + misses)` over the service's metrics page.
//!
//! Numbers, names of metrics with optional labels (`hits{cache="memory", kind!="scan"}`), `+ - * /` and parentheses. A counter
//! stands for its increase over the window, anything else for its last value; the series of one name are summed over the labels that
//! the formula does not select.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::hint::Hint;

use super::prometheus::{Labels, Page, is_name_part, name, quoted};

/// The longest formula, bytes.
const MOST_BYTES: usize = 4096;
/// How deep parentheses and signs may go.
const MOST_DEPTH: usize = 64;

/// Why a text is no formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Where, counted in characters from 1.
    pub column: usize,
    what: String,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "column {}: {}", self.column, self.what)
    }
}

impl std::error::Error for Error {}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        Some("write it like `hits / (hits + misses)`, with labels as in `hits{cache=\"memory\"}`".into())
    }
}

/// A formula that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    expression: Expression,
    selectors: Vec<Selector>,
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Number(f64),
    /// Which of the selectors.
    Metric(usize),
    Negative(Box<Self>),
    Binary(char, Box<Self>, Box<Self>),
}

/// Which series of the page are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Selector {
    name: String,
    /// Label, whether it must be equal, value. A label that a series lacks is empty.
    labels: Vec<(String, bool, String)>,
}

impl Selector {
    fn takes(&self, labels: &Labels) -> bool {
        let value = |label: &str| labels.get(label).map_or("", String::as_str);
        self.labels.iter().all(|(label, equal, wanted)| (value(label) == wanted) == *equal)
    }
}

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// When it is none; the error says at which column.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parser = Parser { text, rest: text, depth: 0, selectors: Vec::new() };
        if text.len() > MOST_BYTES {
            return Err(parser.error(format!("it is longer than {MOST_BYTES} bytes")));
        }
        let expression = parser.sum()?;
        if let Some(c) = parser.peek() {
            return Err(parser.error(format!("`{c}` is not expected here")));
        }
        if parser.selectors.is_empty() {
            return Err(Error { column: 1, what: "it names no metric".into() });
        }
        Ok(Self { expression, selectors: parser.selectors })
    }

    /// The metrics that it names.
    #[must_use]
    pub fn metrics(&self) -> BTreeSet<&str> {
        self.selectors.iter().map(|selector| selector.name.as_str()).collect()
    }

    fn value(&self, readings: &[Option<f64>]) -> Option<f64> {
        self.expression.value(readings).filter(|value| value.is_finite())
    }
}

impl Expression {
    fn value(&self, readings: &[Option<f64>]) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Metric(index) => *readings.get(*index)?,
            Self::Negative(inner) => Some(-inner.value(readings)?),
            Self::Binary(operator, left, right) => {
                let (left, right) = (left.value(readings)?, right.value(readings)?);
                match operator {
                    '+' => Some(left + right),
                    '-' => Some(left - right),
                    '*' => Some(left * right),
                    _ => (right != 0.0).then(|| left / right),
                }
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    depth: usize,
    selectors: Vec<Selector>,
}

impl Parser<'_> {
    fn error(&self, what: impl Into<String>) -> Error {
        let read = &self.text[..self.text.len() - self.rest.len()];
        Error { column: read.chars().count() + 1, what: what.into() }
    }

    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        found
    }

    fn sum(&mut self) -> Result<Expression, Error> {
        self.chain(['+', '-'], Self::product)
    }

    fn product(&mut self) -> Result<Expression, Error> {
        self.chain(['*', '/'], Self::factor)
    }

    fn chain(
        &mut self,
        operators: [char; 2],
        part: fn(&mut Self) -> Result<Expression, Error>,
    ) -> Result<Expression, Error> {
        let mut left = part(self)?;
        while let Some(operator) = operators.into_iter().find(|operator| self.take(*operator)) {
            left = Expression::Binary(operator, Box::new(left), Box::new(part(self)?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Expression, Error> {
        if self.depth >= MOST_DEPTH {
            return Err(self.error(format!("it is nested more than {MOST_DEPTH} deep")));
        }
        self.depth += 1;
        let factor = self.bare_factor();
        self.depth -= 1;
        factor
    }

    fn bare_factor(&mut self) -> Result<Expression, Error> {
        if self.take('-') {
            return Ok(Expression::Negative(Box::new(self.factor()?)));
        }
        if self.take('(') {
            let inner = self.sum()?;
            return if self.take(')') { Ok(inner) } else { Err(self.error("a `)` is missing")) };
        }
        match self.peek() {
            Some(c) if c.is_ascii_digit() || c == '.' => self.number(),
            Some(c) if is_name_part(c, true) => self.metric(),
            Some(c) => Err(self.error(format!("`{c}` is neither a number nor the name of a metric"))),
            None => Err(self.error("a number or the name of a metric is missing")),
        }
    }

    fn number(&mut self) -> Result<Expression, Error> {
        let mut end = 0;
        let bytes = self.rest.as_bytes();
        while let Some(byte) = bytes.get(end) {
            let after_exponent = end > 0 && matches!(bytes[end - 1], b'e' | b'E');
            match byte {
                b'0'..=b'9' | b'.' | b'e' | b'E' => end += 1,
                b'+' | b'-' if after_exponent => end += 1,
                _ => break,
            }
        }
        let digits = &self.rest[..end];
        let number = digits.parse::<f64>().ok().filter(|number| number.is_finite());
        let number = number.ok_or_else(|| self.error(format!("`{digits}` is no number")))?;
        self.rest = &self.rest[end..];
        Ok(Expression::Number(number))
    }

    fn metric(&mut self) -> Result<Expression, Error> {
        let Some((metric, rest)) = name(self.rest) else {
            return Err(self.error("the name of a metric is missing"));
        };
        let metric = metric.to_owned();
        self.rest = rest;
        let labels = if self.take('{') { self.labels()? } else { Vec::new() };
        let selector = Selector { name: metric, labels };
        let index = self.selectors.iter().position(|known| *known == selector).unwrap_or_else(|| {
            self.selectors.push(selector);
            self.selectors.len() - 1
        });
        Ok(Expression::Metric(index))
    }

    fn labels(&mut self) -> Result<Vec<(String, bool, String)>, Error> {
        let mut labels = Vec::new();
        loop {
            if self.take('}') {
                return Ok(labels);
            }
            let _ = self.peek();
            let Some((label, rest)) = name(self.rest) else {
                return Err(self.error("the name of a label or a `}` is missing"));
            };
            let label = label.to_owned();
            self.rest = rest;
            let equal = !self.take('!');
            if !self.take('=') {
                return Err(self.error("a `=` or `!=` is missing"));
            }
            let _ = self.peek();
            let Some((value, rest)) = quoted(self.rest) else {
                return Err(self.error("a value in double quotes is missing"));
            };
            self.rest = rest;
            labels.push((label, equal, value));
            if !self.take(',') && self.peek() != Some('}') {
                return Err(self.error("a `,` or a `}` is missing"));
            }
        }
    }
}

/// What a formula comes to over a stretch of time, from the pages that were read in it. Always asked with the same formula.
#[derive(Debug, Clone)]
pub struct State {
    readings: Vec<Reading>,
}

#[derive(Debug, Clone, Default)]
struct Reading {
    /// What it comes to so far; `None` while no page has declared it.
    value: Option<f64>,
    /// The counters at the latest page.
    latest: BTreeMap<Labels, f64>,
}

impl State {
    /// A stretch that begins with this page.
    #[must_use]
    pub fn new(formula: &Formula, first: &Page) -> Self {
        let mut state = Self { readings: vec![Reading::default(); formula.selectors.len()] };
        state.take(formula, first, true);
        state
    }

    /// Goes on to a later page.
    pub fn add(&mut self, formula: &Formula, page: &Page) {
        self.take(formula, page, false);
    }

    /// What the formula comes to by now; `None` when it divides by zero or names a metric that no page has.
    #[must_use]
    pub fn value(&self, formula: &Formula) -> Option<f64> {
        let readings: Vec<Option<f64>> = self.readings.iter().map(|reading| reading.value).collect();
        formula.value(&readings)
    }

    fn take(&mut self, formula: &Formula, page: &Page, is_first: bool) {
        let none = BTreeMap::new();
        for (selector, reading) in formula.selectors.iter().zip(&mut self.readings) {
            if !page.declares(&selector.name) {
                continue;
            }
            let series = page.series(&selector.name).unwrap_or(&none);
            let taken = series.iter().filter(|(labels, _)| selector.takes(labels));
            let finite = taken.filter(|(_, value)| value.is_finite());
            if page.is_counter(&selector.name) {
                let mut increase = reading.value.unwrap_or(0.0);
                for (labels, value) in finite {
                    let before = reading.latest.insert(labels.clone(), *value);
                    increase += if is_first { 0.0 } else { grown(before, *value) };
                }
                reading.value = Some(increase);
            } else {
                reading.value = Some(finite.map(|(_, value)| value).sum());
            }
        }
    }
}

/// How much a counter grew. One that fell was started anew, and one that was not there counts from 0.
fn grown(before: Option<f64>, now: f64) -> f64 {
    match before {
        Some(before) if now >= before => now - before,
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use super::{Formula, State};
    use crate::load::prometheus::Page;

    fn over(formula: &str, pages: &[&str]) -> Option<f64> {
        let formula = Formula::parse(formula).unwrap();
        let read = |text: &str| Page::read(text, &formula.metrics());
        let mut state = State::new(&formula, &read(pages[0]));
        pages[1..].iter().for_each(|page| state.add(&formula, &read(page)));
        state.value(&formula)
    }

    fn of(formula: &str, page: &str) -> Option<f64> {
        over(formula, &[page])
    }

    #[test]
    fn operators_bind_as_everywhere() {
        assert_eq!(of("a - 2 - 3 * 4 / 2 + -a", "a 10"), Some(-8.0));
        assert_eq!(of("(a-2)*--3", "a 10"), Some(24.0));
        assert_eq!(of(" 1.5e+1*a/.5 ", "a 2"), Some(60.0));
        assert_eq!(of("job:a:rate+1", "job:a:rate 2"), Some(3.0));
        assert_eq!(of("a-1e-1", "a 1"), Some(0.9));
    }

    #[test]
    fn counters_are_taken_by_their_increase_and_levels_by_their_last_value() {
        let (before, after) =
            ("hits_total 100\nmisses_total 50\nsize 7", "hits_total 190\nmisses_total 60\nsize 9");
        let rate = "hits_total / (hits_total + misses_total)";
        assert_eq!(over(rate, &[before, after]), Some(0.9));
        assert_eq!(over("size", &[before, after]), Some(9.0));
        assert_eq!(over("hits", &["# TYPE hits counter\nhits 5", "# TYPE hits counter\nhits 8"]), Some(3.0));
    }

    #[test]
    fn a_counter_that_was_reset_or_is_new_counts_from_zero() {
        assert_eq!(over("a_total", &["a_total 100", "a_total 150", "a_total 20", "a_total 25"]), Some(75.0));
        let pages = ["a_total{x=\"1\"} 5", "a_total{x=\"1\"} 6\na_total{x=\"2\"} 4"];
        assert_eq!(over("a_total", &pages), Some(5.0));
    }

    #[test]
    fn series_are_summed_over_the_labels_that_are_not_selected() {
        let page = "hits{cache=\"memory\",n=\"1\"} 1\nhits{cache=\"memory\",n=\"2\"} 2\nhits{cache=\"disk\"} 4\nhits 8";
        assert_eq!(of("hits", page), Some(15.0));
        assert_eq!(of("hits{cache=\"memory\"}", page), Some(3.0));
        assert_eq!(of("hits { cache != \"memory\" , n = \"\", }", page), Some(12.0));
        assert_eq!(of("hits{cache=\"redis\"}", page), Some(0.0));
    }

    #[test]
    fn what_is_unknown_or_divides_by_zero_has_no_value() {
        assert_eq!(of("hits / misses", "hits 1\nmisses 0"), None);
        assert_eq!(of("hitz", "hits 1"), None);
        assert_eq!(of("hits * hits", "hits 1e200"), None);
        // Declared, and nothing was counted so far.
        let page = "# TYPE hits counter\nhits_total 3\n# TYPE misses counter\n";
        assert_eq!(of("hits_total + misses_total", page), Some(0.0));
        assert_eq!(over("a_total", &["x 1", "a_total 7", "a_total 9"]), Some(9.0));
    }

    #[test]
    fn a_mistake_is_told_with_its_column() {
        let error = |text: &str| Formula::parse(text).unwrap_err().to_string();
        assert_eq!(error("hits / (hits + "), "column 16: a number or the name of a metric is missing");
        assert_eq!(error("hits / (hits + misses"), "column 22: a `)` is missing");
        assert_eq!(error("hits misses"), "column 6: `m` is not expected here");
        assert_eq!(error("hits % 2"), "column 6: `%` is not expected here");
        assert_eq!(error("2 + 1.2.3 * a"), "column 5: `1.2.3` is no number");
        assert_eq!(error("é"), "column 1: `é` is neither a number nor the name of a metric");
        assert_eq!(error("a{b=c}"), "column 5: a value in double quotes is missing");
        assert_eq!(error("a{b~\"c\"}"), "column 4: a `=` or `!=` is missing");
        assert_eq!(error("a{b=\"c\" d=\"e\"}"), "column 9: a `,` or a `}` is missing");
        assert_eq!(error("a{"), "column 3: the name of a label or a `}` is missing");
        assert_eq!(error("1 + 1"), "column 1: it names no metric");
        assert_eq!(error(""), "column 1: a number or the name of a metric is missing");
        assert!(error(&"(".repeat(4000)).contains("nested more than 64 deep"));
        assert!(error(&"-".repeat(4000)).contains("nested more than 64 deep"));
        assert!(error(&"a+".repeat(4000)).contains("longer than"));
    }
}
