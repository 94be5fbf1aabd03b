//! Lists the built pages (`web/dist`), so that they are part of the binary. They are committed: building needs no npm.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    let dist = PathBuf::from("web/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut found = Vec::new();
    walk(&dist, &mut found);
    found.sort();
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo says where the crate is");
    let line = |file: &PathBuf| {
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file.strip_prefix(&dist).expect("below dist").to_string_lossy().replace('\\', "/");
        format!("    ({name:?}, include_bytes!({:?})),\n", Path::new(&root).join(file).display().to_string())
    };
    let lines: String = found.iter().map(line).collect();
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo says where to write"));
    fs::write(out.join("pages.rs"), format!("&[\n{lines}]")).expect("the list of pages can be written");
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    println!("cargo:rerun-if-changed={}", folder.display());
    // Without built pages there are none in the binary.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}
