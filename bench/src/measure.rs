// SPDX-License-Identifier: MIT OR Apache-2.0

//! Interleaved measurements and their medians.

use crate::Result;

/// The median of several samples, and how far they spread.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Spread {
    /// # Panics
    /// Without samples.
    pub fn of(samples: &[f64]) -> Spread {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Spread { median, low, high }
    }
}

/// Samples of two contestants, taken in turns.
pub struct Pairs {
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Pairs {
    /// Takes `rounds` pairs after one that is thrown away. Who begins changes from pair to pair.
    pub fn measure(
        rounds: usize,
        mut first: impl FnMut() -> Result<f64>,
        mut second: impl FnMut() -> Result<f64>,
    ) -> Result<Pairs> {
        first()?;
        second()?;
        let mut pairs = Pairs { first: Vec::new(), second: Vec::new() };
        for round in 0..rounds {
            if round % 2 == 0 {
                pairs.first.push(first()?);
                pairs.second.push(second()?);
            } else {
                pairs.second.push(second()?);
                pairs.first.push(first()?);
            }
        }
        Ok(pairs)
    }

    pub fn first(&self) -> Spread {
        Spread::of(&self.first)
    }

    pub fn second(&self) -> Spread {
        Spread::of(&self.second)
    }

    /// First divided by second, pair by pair.
    pub fn ratio(&self) -> Spread {
        self.combined(|first, second| first / second)
    }

    /// First minus second, pair by pair.
    pub fn difference(&self) -> Spread {
        self.combined(|first, second| first - second)
    }

    fn combined(&self, by: impl Fn(f64, f64) -> f64) -> Spread {
        let pairs = self.first.iter().zip(&self.second);
        Spread::of(&pairs.map(|(&first, &second)| by(first, second)).collect::<Vec<_>>())
    }
}
