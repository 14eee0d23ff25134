//! The Universal Scalability Law (Gunther, "Guerrilla Capacity Planning", 2007, chapters 4 to 6): throughput at a load of N,
//!
//! X(N) = λN / (1 + σ(N − 1) + κN(N − 1)),
//!
//! with the contention σ (what is done one after the other) and the coherency κ (what each tells each other). It peaks at
//! N* = √((1 − σ)/κ). Fitted by least squares under σ, κ ≥ 0: for given σ and κ the best λ has a closed form,
//! and what is left has two variables that a grid search, refined again and again, cannot miss.

/// The law with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// λ: throughput of a load of one.
    pub lambda: f64,
    /// σ: contention, 0 to 1.
    pub sigma: f64,
    /// κ: coherency, at least 0.
    pub kappa: f64,
}

/// A law and how well it fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The law.
    pub law: Law,
    /// Share of the variance of X that it explains (the coefficient of determination), at most 1.
    pub explained: f64,
}

impl Law {
    /// Throughput at a load.
    #[must_use]
    pub fn throughput(&self, n: f64) -> f64 {
        self.lambda * n / self.slowdown(n)
    }

    /// The load at which throughput peaks; `None` where it never falls.
    #[must_use]
    pub fn peak(&self) -> Option<f64> {
        let peak = ((1.0 - self.sigma) / self.kappa).sqrt();
        (self.kappa > 0.0 && self.sigma < 1.0 && peak.is_finite()).then_some(peak.max(1.0))
    }

    /// The most throughput at any load; `None` where it grows without end.
    #[must_use]
    pub fn capacity(&self) -> Option<f64> {
        match self.peak() {
            Some(peak) => Some(self.throughput(peak)),
            None if self.sigma > 0.0 => Some(self.lambda / self.sigma),
            None => None,
        }
    }

    fn slowdown(&self, n: f64) -> f64 {
        1.0 + self.sigma * (n - 1.0) + self.kappa * n * (n - 1.0)
    }
}

/// Grid points on each axis, and how often the grid is refined: each round narrows it to a third.
const GRID: u32 = 24;
const ROUNDS: u32 = 26;

/// Fits the law to (load, throughput) points. `None` without points at three loads (of at least one, with positive throughput):
/// three parameters need as many.
#[must_use]
pub fn fit(points: &[(f64, f64)]) -> Option<Fit> {
    let points: Vec<(f64, f64)> = points
        .iter()
        .copied()
        .filter(|(n, x)| n.is_finite() && x.is_finite() && *n >= 1.0 && *x > 0.0)
        .collect();
    let mut loads: Vec<f64> = points.iter().map(|(n, _)| *n).collect();
    loads.sort_unstable_by(f64::total_cmp);
    loads.dedup();
    if loads.len() < 3 {
        return None;
    }
    let largest = *loads.last()?;
    // A load of `largest` with κ = 4 / largest lies far beyond any peak.
    let (mut sigma, mut kappa) = ((0.0, 1.0), (0.0, 4.0 / largest));
    let mut best = (f64::INFINITY, Law { lambda: 0.0, sigma: 0.0, kappa: 0.0 });
    for _ in 0..ROUNDS {
        for law in grid(sigma, kappa) {
            let law = Law { lambda: lambda(&points, law)?, ..law };
            let loss = loss(&points, law);
            if loss < best.0 {
                best = (loss, law);
            }
        }
        sigma = narrowed(sigma, best.1.sigma, 1.0);
        kappa = narrowed(kappa, best.1.kappa, f64::INFINITY);
    }
    let law = best.1;
    (law.lambda.is_finite() && law.lambda > 0.0).then(|| Fit { law, explained: explained(&points, law) })
}

fn grid(sigma: (f64, f64), kappa: (f64, f64)) -> impl Iterator<Item = Law> {
    // Squares put more points where the axis begins: small values matter most.
    let at = |(low, high): (f64, f64), step: u32| {
        let share = f64::from(step) / f64::from(GRID);
        low + (high - low) * if low == 0.0 { share * share } else { share }
    };
    (0..=GRID).flat_map(move |s| {
        (0..=GRID).map(move |k| Law { lambda: 1.0, sigma: at(sigma, s), kappa: at(kappa, k) })
    })
}

/// A third of the range around the best value, inside 0 and `most`.
fn narrowed((low, high): (f64, f64), best: f64, most: f64) -> (f64, f64) {
    let reach = (high - low) / 3.0;
    ((best - reach / 2.0).max(0.0), (best + reach / 2.0).min(most))
}

/// The best λ for given σ and κ: errors λf - x are least where λ = Σfx / Σf².
fn lambda(points: &[(f64, f64)], law: Law) -> Option<f64> {
    let product: f64 = points.iter().map(|(n, x)| law.throughput(*n) * x).sum();
    let square: f64 = points.iter().map(|(n, _)| law.throughput(*n).powi(2)).sum();
    let lambda = product / square;
    lambda.is_finite().then_some(lambda)
}

fn loss(points: &[(f64, f64)], law: Law) -> f64 {
    points.iter().map(|(n, x)| (law.throughput(*n) - x).powi(2)).sum()
}

fn explained(points: &[(f64, f64)], law: Law) -> f64 {
    let mean = points.iter().map(|(_, x)| x).sum::<f64>() / points.len() as f64;
    let all: f64 = points.iter().map(|(_, x)| (x - mean).powi(2)).sum();
    if all > 0.0 { 1.0 - loss(points, law) / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    const LOADS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 48.0, 64.0];

    fn points(law: Law) -> Vec<(f64, f64)> {
        LOADS.iter().map(|n| (*n, law.throughput(*n))).collect()
    }

    #[test]
    fn exact_points_give_their_law_back() {
        for (lambda, sigma, kappa) in
            [(995.6, 0.0267, 0.000_769), (40.0, 0.0, 0.002), (7.0, 0.2, 0.0), (3.0, 0.0, 0.0)]
        {
            let truth = Law { lambda, sigma, kappa };
            let fit = fit(&points(truth)).unwrap();
            assert!((fit.law.lambda / lambda - 1.0).abs() < 1e-3, "{fit:?}");
            assert!((fit.law.sigma - sigma).abs() < 1e-3 && (fit.law.kappa - kappa).abs() < 1e-5, "{fit:?}");
            assert!(fit.explained > 0.999);
        }
    }

    #[test]
    fn published_measurements_have_their_published_coefficients() {
        // Gunther (2007), ray tracer on an SGI Origin 2000: processors and rays; with λ held at X(1) the contention is 0.05 and the
        // coherency next to nothing.
        let tracer = [
            (1.0, 20.0),
            (4.0, 78.0),
            (8.0, 130.0),
            (12.0, 170.0),
            (16.0, 190.0),
            (20.0, 200.0),
            (24.0, 210.0),
            (28.0, 230.0),
            (32.0, 260.0),
            (48.0, 280.0),
            (64.0, 310.0),
        ];
        let fitted = fit(&tracer).unwrap();
        assert!((fitted.law.sigma - 0.05).abs() < 0.01 && fitted.law.kappa < 2e-5, "{fitted:?}");
        // Gunther (2007), SPEC SDM91: generators and scripts per hour; σ = 0.028, κ = 0.0001, peak near 96.5.
        let sdm = [
            (1.0, 64.9),
            (18.0, 995.9),
            (36.0, 1_652.4),
            (72.0, 1_853.2),
            (108.0, 1_828.9),
            (144.0, 1_775.0),
            (216.0, 1_702.2),
        ];
        let fitted = fit(&sdm).unwrap();
        assert!((fitted.law.peak().unwrap() / 96.5 - 1.0).abs() < 0.15, "{fitted:?}");
    }

    #[test]
    fn the_peak_is_where_the_curve_turns() {
        let law = Law { lambda: 100.0, sigma: 0.05, kappa: 0.002 };
        let peak = law.peak().unwrap();
        assert!((peak - (0.95_f64 / 0.002).sqrt()).abs() < 1e-9);
        assert!(
            law.throughput(peak) > law.throughput(peak * 0.9)
                && law.throughput(peak) > law.throughput(peak * 1.1)
        );
        assert!((law.capacity().unwrap() - law.throughput(peak)).abs() < 1e-9);
        let saturating = Law { kappa: 0.0, ..law };
        assert_eq!((saturating.peak(), saturating.capacity()), (None, Some(2_000.0)));
        assert_eq!(Law { sigma: 0.0, ..saturating }.capacity(), None);
    }

    #[test]
    fn noise_of_three_per_cent_moves_the_peak_little() {
        let truth = Law { lambda: 500.0, sigma: 0.03, kappa: 0.0008 };
        let mut stream = Stream::new(5, "test", &[], 0);
        for _ in 0..20 {
            let noisy: Vec<(f64, f64)> =
                points(truth).into_iter().map(|(n, x)| (n, x * (1.0 + 0.03 * stream.normal()))).collect();
            let fit = fit(&noisy).unwrap();
            let peak = fit.law.peak().unwrap();
            assert!((peak / truth.peak().unwrap() - 1.0).abs() < 0.25, "{fit:?}");
            assert!(fit.law.sigma >= 0.0 && fit.law.kappa >= 0.0);
        }
    }

    #[test]
    fn two_loads_are_not_enough() {
        assert_eq!(fit(&[(1.0, 5.0), (2.0, 9.0), (2.0, 9.1)]), None);
        assert_eq!(fit(&[(1.0, f64::NAN), (2.0, 9.0), (3.0, -1.0)]), None);
        assert_eq!(fit(&[]), None);
    }
}
