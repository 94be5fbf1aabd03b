//! `zugzwang completions` and `zugzwang man`: made from the command line's one definition.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, CliError, Output};
use crate::out;

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// Prints a shell's completions.
pub(super) fn completions(args: &CompletionsArgs) -> Result<(), CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "zugzwang", &mut text);
    out::part(&String::from_utf8_lossy(&text));
    Ok(())
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// The folder; without one, the page of the whole program is printed.
    dir: Option<PathBuf>,
}

/// Writes a manual page for the program and for each command.
pub(super) fn man(args: &ManArgs, output: Output) -> Result<(), CliError> {
    let command = Cli::command();
    let Some(dir) = &args.dir else {
        let mut text = Vec::new();
        clap_mangen::Man::new(command).render(&mut text).map_err(|e| CliError::failed(format!("man page: {e}")))?;
        out::part(&String::from_utf8_lossy(&text));
        return Ok(());
    };
    let failed =
        |e: std::io::Error| CliError::failed(format!("{}: {e}; name a folder that can be written", dir.display()));
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(command, dir).map_err(failed)?;
    let pages = std::fs::read_dir(dir).map_err(failed)?.flatten();
    let mut names: Vec<String> = pages.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.starts_with("zugzwang") && name.ends_with(".1"));
    names.sort_unstable();
    output.print(&names, || format!("{} pages in {}", names.len(), dir.display()))
}
