//! `zugzwang feed`: a publisher's bulletins, signed, served and verified.

use std::{
    io::Read,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{CliError, Output, key, run::stop_on_signal};
use crate::{
    chain::{
        Key,
        types::{Address, B256},
    },
    config::RawConfig,
    feed::{
        self, Bulletin, Text, file,
        publisher::{Publisher, PublisherConfig},
    },
    out,
};

/// Pause between two looks at the folder that is served.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sign a bulletin.
    Sign(SignArgs),
    /// Serve a folder of signed bulletins over HTTP, until SIGINT or SIGTERM.
    Serve(ServeArgs),
    /// Check whose a bulletin is.
    Verify(VerifyArgs),
}

/// The key's password is in the variable that key.password_env names, or in key.password_file.
#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// The keystore file; key.keystore if not given.
    #[arg(long)]
    key: Option<PathBuf>,
    /// The feed: 0x and 64 hex digits, or a name, whose keccak256 is the id.
    #[arg(long, value_parser = feed::feed_id)]
    feed: B256,
    /// The bulletin's number in the feed; never sign two under one number.
    #[arg(long, value_name = "N")]
    sequence: u64,
    /// Unix time in seconds; now if not given.
    #[arg(long, value_name = "T")]
    timestamp: Option<u64>,
    #[command(flatten)]
    what: What,
    /// Where it goes: a file that isn't there yet, a folder (then the number is its name), or - for standard output.
    #[arg(long, default_value = "-")]
    out: PathBuf,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The text: 1 to 248 characters of printable ASCII.
    #[arg(long)]
    text: Option<String>,
    /// A file with the text, less a line's end at its end; - for standard input.
    #[arg(long)]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Folder with a bulletin in each file *.json; new ones are served as they come.
    #[arg(long)]
    dir: PathBuf,
    /// Port of this machine, or an address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = listen)]
    listen: SocketAddr,
    /// Serve this publisher's only; if not given, that of the first bulletin.
    #[arg(long)]
    publisher: Option<Address>,
    /// Serve this feed only; if not given, that of the first bulletin.
    #[arg(long, value_parser = feed::feed_id)]
    feed: Option<B256>,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// File with a bulletin.
    file: PathBuf,
    /// Whose it should be.
    #[arg(long)]
    publisher: Address,
    /// Of which feed it should be; any if not given.
    #[arg(long, value_parser = feed::feed_id)]
    feed: Option<B256>,
}

pub(super) async fn run(command: Command, raw: RawConfig, output: Output) -> Result<(), CliError> {
    match command {
        Command::Sign(args) => sign(args, &raw, output),
        Command::Serve(args) => serve(args, output).await,
        Command::Verify(args) => verify(&args, output),
    }
}

fn sign(args: SignArgs, raw: &RawConfig, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Signed {
        file: String,
        hash: B256,
        publisher: String,
        #[serde(flatten)]
        bulletin: Bulletin,
    }
    // What is wrong with the text shows before the key takes its time.
    let text = text(&args.what)?;
    let timestamp = match args.timestamp {
        Some(timestamp) => timestamp,
        None => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| CliError::failed("the clock is before 1970; set it, or give --timestamp"))?
            .as_secs(),
    };
    let keystore = args.key.unwrap_or_else(|| PathBuf::from(&raw.key.keystore));
    let key = Key::open(&keystore, &key::password(raw))?;
    let bulletin = Bulletin::sign(&key, args.feed, args.sequence, timestamp, text)?;
    if args.out == Path::new("-") {
        out::line(&bulletin.to_json());
        return Ok(());
    }
    let file = file::write_new(&bulletin, &args.out)?.display().to_string();
    let signed = Signed { file, hash: bulletin.hash(), publisher: key.address().to_string(), bulletin };
    output.print(&signed, || {
        format!(
            "{}: bulletin {} of feed {} by {}, digest {}",
            signed.file, signed.bulletin.sequence, signed.bulletin.feed_id, signed.publisher, signed.hash
        )
    })
}

fn text(what: &What) -> Result<Text, CliError> {
    let mut bytes = Vec::new();
    match (&what.text, &what.file) {
        (Some(text), _) => bytes = text.clone().into_bytes(),
        (None, Some(path)) => {
            // Enough to say how much too long it is.
            let most = 1 << 20;
            let read = if path == Path::new("-") {
                std::io::stdin().take(most).read_to_end(&mut bytes)
            } else {
                std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
            };
            read.map_err(|e| CliError::failed(format!("{}: {e}; name a file with the text", path.display())))?;
            let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            bytes.truncate(line.strip_suffix(b"\r").unwrap_or(line).len());
        }
        (None, None) => {}
    }
    Ok(Text::new(&bytes)?)
}

async fn serve(args: ServeArgs, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Serving {
        url: String,
        bulletins: usize,
    }
    let stop = stop_on_signal()?;
    let ServeArgs { dir, listen, publisher, feed: feed_id } = args;
    let publisher = Publisher::bind(PublisherConfig { dir, listen, publisher, feed_id, every: LOOK }).await?;
    let serving = Serving { url: format!("http://{}", publisher.address()), bulletins: publisher.count() };
    output.print(&serving, || {
        format!(
            "{} bulletins at {url}/bulletins, and as they come at {url}/events",
            serving.bulletins,
            url = serving.url
        )
    })?;
    publisher.run(stop).await;
    Ok(())
}

fn verify(args: &VerifyArgs, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Verified {
        publisher: String,
        hash: B256,
        #[serde(flatten)]
        bulletin: Bulletin,
    }
    let shown = args.file.display();
    let bulletin = file::read(&args.file)?;
    bulletin.check(args.publisher).map_err(|e| CliError::failed(format!("{shown}: {e}")))?;
    if let Some(feed_id) = args.feed
        && feed_id != bulletin.feed_id
    {
        return Err(CliError::failed(format!(
            "{shown}: it is of feed {}, not {feed_id}; check --feed",
            bulletin.feed_id
        )));
    }
    let verified = Verified { publisher: args.publisher.to_string(), hash: bulletin.hash(), bulletin };
    output.print(&verified, || {
        let Bulletin { feed_id, sequence, timestamp, text, .. } = &verified.bulletin;
        format!("{} signed bulletin {sequence} of feed {feed_id} at {timestamp}: {text}", verified.publisher)
    })
}

/// A port of this machine, or an address and a port.
fn listen(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<u16>() {
        Ok(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
        Err(_) => text.parse().map_err(|_| "write a port, or an address and a port such as 127.0.0.1:8080".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        let cases = [
            ("0", Some("127.0.0.1:0")),
            ("8080", Some("127.0.0.1:8080")),
            ("0.0.0.0:80", Some("0.0.0.0:80")),
            ("[::1]:7", Some("[::1]:7")),
            ("", None),
            ("65536", None),
            ("localhost", None),
            ("127.0.0.1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(listen(text).ok().map(|address| address.to_string()), expected.map(str::to_owned), "{text}");
        }
    }
}
