//! What of an inference is private: options, salts, and what an owner gives away.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use serde::Serialize;

use super::{CliError, Output, model::Place, net};
use crate::{
    chain::types::{B256, Bytes},
    out,
    prover::{self, Privacy, Salt, Visibility},
};

/// Whether everybody may see a side of an inference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Side {
    /// Everybody.
    #[default]
    Public,
    /// The prover alone.
    Private,
}

/// What the proofs of an ONNX file show.
#[derive(Clone, Copy, Debug, Default, ClapArgs)]
pub(super) struct Sides {
    /// Whether proofs show the input; of a private one they show a commitment.
    #[arg(long = "input", id = "side_of_input", value_name = "SIDE", value_enum, default_value_t)]
    input: Side,
    /// Whether the verifier's key holds the weights; of private ones it holds commitments.
    #[arg(long = "model", id = "side_of_model", value_name = "SIDE", value_enum, default_value_t)]
    model: Side,
}

impl Sides {
    pub(super) fn privacy(self) -> Privacy {
        let visibility = |side| match side {
            Side::Public => Visibility::Public,
            Side::Private => Visibility::Private,
        };
        Privacy { input: visibility(self.input), model: visibility(self.model) }
    }
}

#[derive(Debug, ClapArgs)]
pub(super) struct Commit {
    /// The model's folder.
    model: PathBuf,
    /// The input: a .csv or .json file with one sample.
    #[arg(long)]
    input: PathBuf,
    /// File of the salt, 128 hex digits; made if it is not there. Who has it and the commitment can check a guess of the
    /// input: keep it to yourself, and use it for one input only.
    #[arg(long)]
    salt: PathBuf,
}

/// Prints the commitment to an input, which can be published or signed before anything is proven.
pub(super) fn commit(args: Commit, output: Output) -> Result<(), CliError> {
    let samples = net::read_samples(&args.input)?;
    let input = prover::encode(&args.model, &samples.inputs[0])?;
    let commitment = B256::from(prover::commit(&args.model, &input, salt(&args.salt)?)?);
    output.print(&serde_json::json!({ "commitment": commitment }), || commitment.to_string())
}

#[derive(Debug, ClapArgs)]
pub(super) struct Publish {
    #[command(flatten)]
    place: Place,
    /// Folder for what others get: architecture, quantisation and commitments, no weights.
    #[arg(long)]
    out: PathBuf,
}

/// Writes a private model's public side.
pub(super) async fn publish(args: Publish, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Published {
        out: PathBuf,
        model_id: B256,
        commitment: B256,
    }
    let (config, out) = (args.place.config(), args.out.clone());
    let made = tokio::task::spawn_blocking(move || prover::publish(&config, &out, &|step| out::note(step))).await;
    let [model_id, commitment] = made.map_err(|e| CliError::model(format!("nothing was published: {e}")))??;
    let published = Published { out: args.out, model_id: model_id.into(), commitment: commitment.into() };
    output.print(&published, || {
        let Published { out, model_id, commitment } = &published;
        format!("{}: model id {model_id}, weights {commitment}", out.display())
    })
}

/// A salt from its file, which is made with a random one if it is not there.
pub(super) fn salt(path: &Path) -> Result<Salt, CliError> {
    let wrong = |why: String| CliError::config(format!("salt {}: {why}", path.display()));
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let salt = text.trim().parse::<Bytes>().ok().and_then(|bytes| bytes[..].try_into().ok());
            let salt = salt.and_then(|bytes: [u8; 64]| prover::salt_from_bytes(&bytes));
            salt.ok_or_else(|| {
                wrong("it is not two numbers of 64 hex digits; give another file, or one to be made".into())
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let salt = prover::random_salt();
            let text = Bytes::from(prover::salt_bytes(&salt).to_vec()).to_string();
            crate::files::new_secret(path, &text).map_err(|e| wrong(format!("{e}; choose another file")))?;
            Ok(salt)
        }
        Err(error) => Err(wrong(format!("{error}; check the path and its rights"))),
    }
}
