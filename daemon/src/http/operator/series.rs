//! The metrics as JSON: read off the very text that `/metrics` gives, so that board and console can't disagree.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    answer::{self, ApiError, List},
    routes::Shared,
};

/// One series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// Its name; of a histogram's series with `_bucket`, `_sum` or `_count`.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value; null for what is no number.
    pub value: Option<f64>,
}

/// Every series that `/metrics` gives.
#[utoipa::path(get, path = "/metrics", tag = "operator", responses((status = 200, body = List<Series>)))]
pub(super) async fn metrics(State(shared): State<Shared>) -> Result<Response, ApiError> {
    shared.metrics.run_upkeep();
    answer::json(&List::whole(parse(&shared.metrics.render())))
}

/// Reads the text form.
fn parse(text: &str) -> Vec<Series> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(series).collect()
}

fn series(line: &str) -> Option<Series> {
    let (head, value) = line.trim().rsplit_once(' ')?;
    let (name, labels) = match head.split_once('{') {
        Some((name, rest)) => (name, labels(rest.strip_suffix('}')?)),
        None => (head, BTreeMap::new()),
    };
    let value = value.parse().ok().filter(|value: &f64| value.is_finite());
    Some(Series { name: name.to_owned(), labels, value })
}

/// Reads `a="b",c="d"`, with the escapes of the text form.
fn labels(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let (mut value, mut escaped, mut end) = (String::new(), false, after.len());
        for (at, c) in after.char_indices() {
            match (escaped, c) {
                (true, 'n') => value.push('\n'),
                (true, c) => value.push(c),
                (false, '\\') => {}
                (false, '"') => {
                    end = at + 1;
                    break;
                }
                (false, c) => value.push(c),
            }
            escaped = !escaped && c == '\\';
        }
        found.insert(name.trim_start_matches(',').to_owned(), value);
        rest = after.get(end..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_read() {
        let text = "# HELP a_total What.\n# TYPE a_total counter\na_total{chain=\"1\",why=\"say \\\"x\\\", \\\\ y\"} 7\n\
                    b_seconds_bucket{le=\"+Inf\"} 3\nplain 0.5\nodd NaN\n\n";
        let all = parse(text);
        let shown: Vec<String> = all.iter().map(|s| format!("{} {:?} {:?}", s.name, s.labels, s.value)).collect();
        assert_eq!(
            shown,
            [
                r#"a_total {"chain": "1", "why": "say \"x\", \\ y"} Some(7.0)"#,
                r#"b_seconds_bucket {"le": "+Inf"} Some(3.0)"#,
                "plain {} Some(0.5)",
                "odd {} None",
            ]
        );
    }
}
