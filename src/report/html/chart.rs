//! Line charts as SVG: one path a series, axes with round values, the numbers in words for who does not see them.

use std::fmt::Write as _;

use super::scale::LENGTH;
use crate::text::escape;

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 22.0;

/// How a series looks; beside the colour each has its own dashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Head's own line.
    Head,
    /// A second line of head.
    HeadSecond,
    /// A third line of head.
    HeadThird,
    /// Base's own line.
    Base,
    /// A second line of base.
    BaseSecond,
    /// What went wrong.
    Bad,
}

impl Look {
    fn class(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::HeadSecond => "head second",
            Self::HeadThird => "head third",
            Self::Base => "base",
            Self::BaseSecond => "base second",
            Self::Bad => "bad",
        }
    }
}

/// A line: pieces of points, each 0 to [`LENGTH`] from the left and from the bottom.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) look: Look,
    pub(super) pieces: Vec<Vec<(f64, f64)>>,
    /// Pieces that are lower bounds.
    pub(super) bounds: Vec<Vec<(f64, f64)>>,
}

/// A chart. Texts are raw.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) title: String,
    /// The numbers in words.
    pub(super) words: String,
    pub(super) x: Vec<(f64, String)>,
    pub(super) y: Vec<(f64, String)>,
    /// Where one window ends and the next begins.
    pub(super) cuts: Vec<f64>,
    pub(super) series: Vec<Series>,
}

fn x(at: f64) -> f64 {
    LEFT + at / LENGTH * (WIDTH - LEFT - RIGHT)
}

fn y(at: f64) -> f64 {
    HEIGHT - BOTTOM - at / LENGTH * (HEIGHT - TOP - BOTTOM)
}

impl Chart {
    /// The chart as a figure.
    pub(super) fn figure(&self) -> String {
        let legend: String = self.series.iter().map(legend).collect();
        let (title, words) = (escape::html(&self.title), escape::html(&self.words));
        format!(
            "<figure><figcaption><strong>{title}</strong><span class=\"legend\">{legend}</span></figcaption>\
             <svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\"><title>{title}</title><desc>{words}</desc>{}{}</svg></figure>\n",
            self.axes(),
            self.lines(),
        )
    }

    fn axes(&self) -> String {
        let mut svg = String::from("<path class=\"grid\" d=\"");
        for (at, _) in &self.y {
            let _ = write!(svg, "M{LEFT} {:.1}H{}", y(*at), WIDTH - RIGHT);
        }
        svg += "\"/>";
        if !self.cuts.is_empty() {
            svg += "<path class=\"cut\" d=\"";
            for at in &self.cuts {
                let _ = write!(svg, "M{:.1} {TOP}V{}", x(*at), HEIGHT - BOTTOM);
            }
            svg += "\"/>";
        }
        for (at, label) in &self.y {
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y(*at) + 4.0,
                escape::html(label)
            );
        }
        for (at, label) in &self.x {
            let anchor = match *at {
                at if at > LENGTH * 0.97 => "end",
                at if at < LENGTH * 0.03 => "start",
                _ => "middle",
            };
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                x(*at),
                HEIGHT - 6.0,
                escape::html(label)
            );
        }
        svg
    }

    fn lines(&self) -> String {
        // What matters most is drawn last, above the others.
        let mut svg = String::new();
        for series in self.series.iter().rev() {
            for (pieces, bound) in [(&series.pieces, ""), (&series.bounds, " bound")] {
                if !pieces.is_empty() {
                    let _ = write!(
                        svg,
                        "<path class=\"line {}{bound}\" d=\"{}\"/>",
                        series.look.class(),
                        path(pieces)
                    );
                }
            }
        }
        svg
    }
}

fn legend(series: &Series) -> String {
    format!(
        "<span><svg class=\"key\" viewBox=\"0 0 22 8\" aria-hidden=\"true\"><path class=\"line {}\" d=\"M1 4H21\"/></svg>{}</span> ",
        series.look.class(),
        escape::html(&series.name)
    )
}

/// Pieces of a line; a piece of one point is a dot.
fn path(pieces: &[Vec<(f64, f64)>]) -> String {
    let mut path = String::new();
    for piece in pieces {
        for (at, (across, up)) in piece.iter().enumerate() {
            let _ = write!(path, "{}{:.1} {:.1}", if at == 0 { 'M' } else { 'L' }, x(*across), y(*up));
        }
        if piece.len() == 1 {
            path += "h0";
        }
    }
    path
}
