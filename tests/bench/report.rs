//! What a benchmark prints: a table for people, one object a line for machines.

use serde_json::json;

/// The rounds of one figure.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// Its name, as machines know it.
    pub(crate) metric: String,
    /// `ratio`, `us`, `1/s`.
    pub(crate) unit: &'static str,
    /// One value a round.
    pub(crate) rounds: Vec<f64>,
}

impl Figure {
    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle value; of an even number, the mean of the two.
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        match sorted.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => sorted[count / 2],
            count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
        }
    }

    /// The least and the greatest.
    pub(crate) fn spread(&self) -> (f64, f64) {
        let sorted = self.sorted();
        (sorted.first().copied().unwrap_or(f64::NAN), sorted.last().copied().unwrap_or(f64::NAN))
    }
}

/// Prints the figures of a benchmark.
pub(crate) fn print(bench: &str, figures: &[Figure], json: bool) {
    if json {
        for figure in figures {
            let (least, greatest) = figure.spread();
            println!(
                "{}",
                json!({
                    "bench": bench, "metric": figure.metric, "value": rounded(figure.median()), "unit": figure.unit,
                    "min": rounded(least), "max": rounded(greatest), "rounds": figure.rounds.len(),
                })
            );
        }
        return;
    }
    println!("\n{bench}");
    println!("  {:<38} {:>12} {:>12} {:>12}  unit", "metric", "median", "min", "max");
    for figure in figures {
        let (least, greatest) = figure.spread();
        println!(
            "  {:<38} {:>12} {:>12} {:>12}  {}",
            figure.metric,
            rounded(figure.median()),
            rounded(least),
            rounded(greatest),
            figure.unit
        );
    }
}

/// Three decimals: more would be noise.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
