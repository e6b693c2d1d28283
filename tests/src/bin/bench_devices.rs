//! `cargo xtask bench devices`: calls of sound through virtual devices, over loopback and over links that lose packets.
//! Prints the figures and writes `target/bench/devices.json`. `--python PATH` names a Python that has PESQ; `--only PART`
//! measures one part. What was heard stays in `target/bench/devices/`.

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

#[cfg(target_os = "linux")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    use std::path::{Path, PathBuf};

    use anyhow::{Context as _, bail, ensure};
    use vireo_tests::bench::devices::{Judge, Part, Report};

    let (mut python, mut parts) = (None, Part::ALL.to_vec());
    let mut arguments = std::env::args().skip(1);
    while let Some(option) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match option.as_str() {
            "--python" => python = Some(PathBuf::from(value)),
            "--only" => parts.retain(|(name, _)| *name == value),
            _ => bail!("unknown argument {option}; there are --python PATH and --only PART"),
        }
    }
    ensure!(
        !parts.is_empty(),
        "there is no such part; there are {}",
        Part::ALL.map(|(name, _)| name).join(", ")
    );
    let folder = Path::new("target/bench");
    let python = python.context("--python PATH is missing")?;
    let judge = Judge::new(python, folder.join("devices"))?;
    let mut report = Report::default();
    for (name, part) in parts {
        println!("{name} …");
        part.measure(&judge, &mut report)
            .await
            .with_context(|| name.to_owned())?;
    }
    println!("{report}");
    std::fs::write(
        folder.join("devices.json"),
        serde_json::to_vec_pretty(&report.json())?,
    )?;
    println!("written to target/bench/devices.json");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("only Linux has the sound system whose devices can be virtual");
}
