//! Sums that measurements need.

use std::fmt;

/// The value below which this share of the sorted values lies (nearest rank). Nothing where there are none.
pub fn percentile(sorted: &[u32], share: f64) -> Option<u32> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The slope of the line through these points that has the least squares of errors. Nothing for fewer than two points.
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|point| point.0).sum::<f64>() / count;
    let mean_y = points.iter().map(|point| point.1).sum::<f64>() / count;
    let squares: f64 = points.iter().map(|point| (point.0 - mean_x).powi(2)).sum();
    let products = points
        .iter()
        .map(|point| (point.0 - mean_x) * (point.1 - mean_y))
        .sum::<f64>();
    (squares > 0.0).then(|| products / squares)
}

/// What several runs say about one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    /// The same in another unit.
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            least: self.least * factor,
            median: self.median * factor,
            most: self.most * factor,
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.median)?;
        match self.least < self.most {
            true => write!(f, " ({:.2}–{:.2})", self.least, self.most),
            false => Ok(()),
        }
    }
}

/// The spread of these figures. Nothing where there are none.
pub fn spread(mut figures: Vec<f64>) -> Option<Spread> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let median = match figures.len() % 2 {
        0 => f64::midpoint(*figures.get(middle.checked_sub(1)?)?, figures[middle]),
        _ => figures[middle],
    };
    Some(Spread {
        least: *figures.first()?,
        median,
        most: *figures.last()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<u32> = (1..=200).collect();
        assert_eq!(percentile(&values, 0.5), Some(100));
        assert_eq!(percentile(&values, 0.99), Some(198));
        assert_eq!(percentile(&values, 1.0), Some(200));
        assert_eq!(percentile(&[7], 0.5), Some(7));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn a_slope_does_not_see_the_constant() {
        let line = [(1.0, 105.0), (5.0, 125.0), (18.0, 190.0)];
        assert!((slope(&line).expect("three points") - 5.0).abs() < 1e-9);
        assert_eq!(slope(&line[..1]), None);
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        let of = |figures: &[f64]| spread(figures.to_vec()).map(|spread| spread.median);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0]), Some(3.0));
        assert_eq!(of(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(of(&[4.0, 1.0, 9.0, 2.0]), Some(3.0));
    }
}
