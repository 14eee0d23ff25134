//! Regressions that somebody accepted: up to a cap, until a day.

use crate::{
    judge::globs::BenchmarkGlob,
    model::{benchmark::Benchmark, policy::Waiver, run::Warning},
};

/// The waivers of a policy, ready to be asked.
#[derive(Debug)]
pub(super) struct Waivers<'a> {
    waivers: Vec<(BenchmarkGlob, &'a Waiver)>,
    day: &'a str,
}

/// What the waivers say of a regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cover<'a> {
    /// None is about it.
    None,
    /// One in force covers it.
    Waived(&'a Waiver),
    /// One is about it, but its last day is over.
    Expired(&'a Waiver),
    /// One in force is about it, but it is larger than the cap.
    Exceeded(&'a Waiver),
}

impl<'a> Waivers<'a> {
    /// Reads the waivers as of a day, `YYYY-MM-DD`.
    pub(super) fn new(waivers: &'a [Waiver], day: &'a str) -> Self {
        let waivers = waivers.iter().map(|waiver| (BenchmarkGlob::new(&waiver.benchmark), waiver)).collect();
        Self { waivers, day }
    }

    /// Whether a regression by `worsening` (relative) is covered; of several waivers the kindest counts.
    pub(super) fn cover(&self, benchmark: &Benchmark, worsening: f64) -> Cover<'a> {
        let mut cover = Cover::None;
        for (_, waiver) in self.waivers.iter().filter(|(glob, _)| glob.matches(benchmark)) {
            cover = match cover {
                Cover::Waived(_) => return cover,
                // A regression just at the cap must not fail by rounding
                _ if self.is_in_force(waiver) && worsening <= waiver.cap * (1.0 + 1e-9) => {
                    Cover::Waived(waiver)
                }
                _ if self.is_in_force(waiver) => Cover::Exceeded(waiver),
                Cover::Exceeded(_) => cover,
                _ => Cover::Expired(waiver),
            };
        }
        cover
    }

    /// A warning for every waiver whose glob matches none of the benchmarks.
    pub(super) fn unmatched(&self, benchmarks: &[&Benchmark]) -> Vec<Warning> {
        let idle = self.waivers.iter().filter(|(glob, _)| !benchmarks.iter().any(|b| glob.matches(b)));
        idle.map(|(_, waiver)| {
            let message = format!("the waiver for `{}` matches no benchmark", waiver.benchmark);
            Warning::new("unmatched_waiver", message)
        })
        .collect()
    }

    /// Days of one length compare as texts; one that is no day is never in force.
    fn is_in_force(&self, waiver: &Waiver) -> bool {
        is_day(&waiver.expires) && self.day <= waiver.expires.as_str()
    }
}

fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::benchmark::BenchmarkId;

    fn waiver(glob: &str, cap: f64, expires: &str) -> Waiver {
        Waiver {
            benchmark: glob.into(),
            cap,
            reason: "accepted".into(),
            owner: "ada".into(),
            expires: expires.into(),
        }
    }

    fn cover(waivers: &[Waiver], worsening: f64) -> &'static str {
        let benchmark = Benchmark::new("kernels", BenchmarkId::new("num/sieve").unwrap());
        match Waivers::new(waivers, "2026-08-20").cover(&benchmark, worsening) {
            Cover::None => "none",
            Cover::Waived(_) => "waived",
            Cover::Expired(_) => "expired",
            Cover::Exceeded(_) => "exceeded",
        }
    }

    #[test]
    fn a_waiver_holds_through_its_last_day_and_up_to_its_cap() {
        assert_eq!(cover(&[waiver("num/*", 0.1, "2026-08-20")], 0.1), "waived");
        assert_eq!(cover(&[waiver("num/*", 0.1, "2026-08-19")], 0.1), "expired");
        assert_eq!(cover(&[waiver("num/*", 0.1, "2026-08-20")], 0.101), "exceeded");
        assert_eq!(cover(&[waiver("text/*", 0.1, "2026-08-20")], 0.1), "none");
        assert_eq!(cover(&[waiver("num/*", 0.1, "2026-08-20")], f64::INFINITY), "exceeded");
    }

    #[test]
    fn of_several_waivers_the_kindest_counts() {
        let expired = waiver("num/*", 0.5, "2025-01-01");
        let small = waiver("num/*", 0.01, "2027-01-01");
        let large = waiver("num/*", 0.5, "2027-01-01");
        assert_eq!(cover(&[expired.clone(), small.clone(), large.clone()], 0.1), "waived");
        assert_eq!(cover(&[large, small.clone()], 0.1), "waived");
        assert_eq!(cover(&[small, expired], 0.1), "exceeded");
    }

    #[test]
    fn a_last_day_that_is_no_day_never_holds() {
        assert_eq!(cover(&[waiver("num/*", 0.1, "next year")], 0.05), "expired");
        assert_eq!(cover(&[waiver("num/*", 0.1, "9999")], 0.05), "expired");
    }
}
