//! `docs/operators.md`, made of the registry and of the ONNX project's cases.
//!
//! `ZUGZWANG_BLESS=1` writes it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use zugzwang_circuits::onnx::{OPERATORS, OPSETS, REFUSED};

use super::node_tests::{Counts, run_all};

/// The page.
fn page(counts: &BTreeMap<String, Counts>) -> String {
    let mut out = String::new();
    let total = |f: fn(&Counts) -> usize| counts.values().map(f).sum::<usize>();
    let (passed, failed, refused) = (total(|c| c.passed), total(|c| c.failed.len()), total(|c| c.refused.len()));
    write!(
        out,
        "# Operators\n\n\
         Made by `ZUGZWANG_BLESS=1 cargo test -p zugzwang-circuits --test it onnx::page` from the registry in \
         `circuits/src/onnx/registry.rs`; a test fails when it is stale.\n\n\
         An ONNX file of operator set {} to {} is imported if it consists of the operators below. Shapes are fixed; \
         only a first dimension may be open, and is taken as 1. Weights, shapes, axes and the like are constants of \
         the file. Anything else is refused before any \
         work, naming node and operator. What is imported compiles to a circuit.\n\n\
         The last columns count the ONNX project's own cases (`onnx` 1.16.2) for the operator: passed within 1e-4 of \
         the expected value, failed, refused. They give weights and shapes as inputs too; where a constant is wanted, \
         the case's value is stored in the file. Sum: {passed} passed, {failed} failed, {refused} refused.\n\n\
         | operator | since | becomes | costs | passed | failed | refused |\n|---|---|---|---|---|---|---|\n",
        OPSETS.start(),
        OPSETS.end(),
    )
    .unwrap();
    let none = Counts::default();
    for o in OPERATORS {
        let c = counts.get(o.name).unwrap_or(&none);
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            o.name,
            o.since,
            o.how,
            o.cost,
            c.passed,
            c.failed.len(),
            c.refused.len()
        )
        .unwrap();
    }
    if let Some(c) = counts.get("definitions") {
        writeln!(
            out,
            "| definitions of newer operators by older ones | | | | {} | {} | {} |",
            c.passed,
            c.failed.len(),
            c.refused.len()
        )
        .unwrap();
    }
    out.push_str("\n## Refused with advice\n| operator | what to do |\n|---|---|\n");
    for (name, advice) in REFUSED {
        writeln!(out, "| {name} | {advice} |").unwrap();
    }
    out.push_str("\n## Refused cases\n| case | message |\n|---|---|\n");
    for (name, why) in counts.values().flat_map(|c| &c.refused) {
        writeln!(out, "| {} | {} |", name.trim_start_matches("test_"), why.replace('|', "\\|")).unwrap();
    }
    out
}

#[test]
fn the_onnx_projects_cases_pass_and_the_page_says_so() {
    let counts = run_all();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operators.md");
    let page = page(&counts);
    if std::env::var("ZUGZWANG_BLESS").is_ok_and(|v| v == "1") {
        std::fs::write(&path, &page).unwrap();
    }
    let failed: Vec<&String> = counts.values().flat_map(|c| &c.failed).collect();
    assert!(failed.is_empty(), "{} cases fail: {failed:#?}", failed.len());
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(stored, page, "docs/operators.md is stale; run this test with ZUGZWANG_BLESS=1 and commit it");
}

#[test]
fn the_registry_is_in_order() {
    let names: Vec<&str> = OPERATORS.iter().map(|o| o.name).collect();
    assert!(names.is_sorted(), "lookups are by bisection");
    assert!(REFUSED.iter().all(|(name, _)| !names.contains(name)));
    assert!(OPERATORS.iter().all(|o| OPSETS.contains(&o.since) && o.inputs.0 <= o.inputs.1));
}
