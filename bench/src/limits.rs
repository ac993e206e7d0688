// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads the figures that have a limit back from what a suite printed. On `std` alone: the guide's tests read
//! the committed page with it.

/// The figures of a suite's table that have a limit, each with what it is over that limit: up to 1 it is kept.
///
/// Where there is nothing to divide by (a limit of 0, `all 36`), or no number to divide: 1 if it is kept, else
/// infinite.
pub(crate) fn over_limits(printed: &str) -> Vec<(&str, f64)> {
    printed.lines().filter_map(over_limit).collect()
}

fn over_limit(line: &str) -> Option<(&str, f64)> {
    let [name, value, sign @ ("<=" | ">=" | "all"), limit, verdict @ ("ok" | "MISSED"), ..] =
        line.split_whitespace().collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let quotient = match (value.parse::<f64>(), limit.parse::<f64>()) {
        (Ok(value), Ok(limit)) if sign == "<=" => value / limit,
        (Ok(value), Ok(limit)) if sign == ">=" => limit / value,
        _ => f64::NAN,
    };
    let kept = if verdict == "ok" { 1.0 } else { f64::INFINITY };
    Some((name, if quotient.is_finite() { quotient } else { kept }))
}

#[cfg(test)]
mod tests {
    use super::over_limits;

    #[test]
    fn a_figure_with_a_limit_is_found_whatever_the_limit_is() {
        let printed = "\
figure           value  limit            min..max     meaning
at_most           0.75  <= 1.5   ok      0.7..0.8     times a peer
at_least          4.00  >= 8     MISSED  3.0..5.0     times a peer
one_blank         1.5  <= 1.25 MISSED    1.148..1.5
contained        36/36  all 36   ok      36.0..36.0   macros
not_contained    35/36  all 36   MISSED  35.0..35.0   macros
kept              0.00  <= 0     ok      0.00..0.00   of many
leaked            1.00  <= 0     MISSED  1.00..1.00   of many
none_is_made      0.00  >= 2     MISSED  0.00..0.00   of many
no_number          NaN  >= 0.8   MISSED  NaN..NaN
  explains it     3.00                   3.0..3.0     <= 4 ok
";
        let never = f64::INFINITY;
        let expected = [
            ("at_most", 0.5),
            ("at_least", 2.0),
            ("one_blank", 1.2),
            ("contained", 1.0),
            ("not_contained", never),
            ("kept", 1.0),
            ("leaked", never),
            ("none_is_made", never),
            ("no_number", never),
        ];
        assert_eq!(over_limits(printed), expected);
    }
}
