//! The command line's way with private inputs and models, as an owner and a reader use it.

use std::path::Path;

use serde_json::Value;

use crate::process::{json, zugzwang};

/// A table of samples with one line of `models/mnist/calibration.csv`, without its label.
fn one_digit(to: &Path) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/mnist/calibration.csv");
    let text = std::fs::read_to_string(file).expect("digits");
    let lines: Vec<&str> = text.lines().take(2).collect();
    let without_label = |line: &str| line.rsplit_once(',').expect("a label").0.to_owned();
    std::fs::write(to, lines.iter().map(|l| without_label(l) + "\n").collect::<String>()).expect("write");
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}")).to_owned()
}

#[test]
fn an_owner_proves_and_a_reader_verifies() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (config, model, published) = (dir.path().join("none.toml"), path("digits"), path("published"));
    std::fs::write(&config, "").expect("write");
    let (digit, salt, proof, cache) = (path("digit.csv"), path("digit.salt"), path("proof.json"), path("cache"));
    one_digit(Path::new(&digit));
    let sides = ["--input", "private", "--model", "private"];
    let compile = ["model", "compile", "models/mnist/model.onnx", "--calibration", "models/mnist/calibration.csv"];
    json(&config, &[&compile[..], &["--out", &model], &sides].concat());

    let committed = json(&config, &["model", "commit", &model, "--input", &digit, "--salt", &salt]);
    let again = json(&config, &["model", "commit", &model, "--input", &digit, "--salt", &salt]);
    let other = json(&config, &["model", "commit", &model, "--input", &digit, "--salt", &path("other.salt")]);
    assert_eq!(committed, again);
    assert_ne!(committed, other);

    let answer = ["--input", &digit, "--salt", &salt, "--cache", &cache, "--out", &proof];
    json(&config, &[&["model", "prove", &model][..], &answer].concat());
    let made: Value = serde_json::from_slice(&std::fs::read(&proof).expect("a proof")).expect("JSON");
    assert_eq!(made["instances"][2], committed["commitment"], "what was committed to is what is proven");

    let ids = json(&config, &["model", "publish", &model, "--out", &published, "--cache", &cache]);
    assert_eq!(text(&ids, "model_id"), text(&made, "model_id"));
    let verified = json(&config, &["model", "verify", &published, &proof, "--cache", &cache, "--local-chain"]);
    assert_eq!((&verified["valid"], &verified["on_chain"]["valid"]), (&Value::Bool(true), &Value::Bool(true)));
    assert!(verified["on_chain"]["gas"].as_u64().is_some_and(|gas| gas > 100_000));

    let fails = |arguments: &[&str], says: &str| {
        let output = zugzwang(&config, arguments).output().expect("the binary");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(says), "{arguments:?}: {error}");
    };
    fails(&[&["model", "prove", &published][..], &answer].concat(), "its weights are not here");
    std::fs::write(dir.path().join("digit.salt"), "0xff").expect("write");
    fails(&["model", "commit", &model, "--input", &digit, "--salt", &salt], "two numbers of 64 hex digits");
    fails(&["model", "commit", "models/mnist", "--input", &digit, "--salt", &path("other.salt")], "input is public");
    fails(&["model", "publish", "models/mnist", "--out", &path("nothing"), "--cache", &cache], "the model is public");
    #[cfg(unix)]
    for secret in ["digits/weights.seed", "digits/net.bin", "other.salt"] {
        let mode = std::fs::metadata(dir.path().join(secret)).expect(secret).permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o077, 0, "{secret} is for its owner alone");
    }
}
