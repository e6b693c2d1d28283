//! `cargo xtask bench long`: a two-way 720p30 call through virtual devices that goes on and on, and whether anything grows.
//! Prints a line a minute and writes `target/bench/long.json`. `--minutes N` says how long (30).

#![allow(clippy::print_stdout, reason = "the table is what the program is for")]

#[cfg(target_os = "linux")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    use anyhow::{Context as _, bail};
    use vireo_tests::bench::long;

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let minutes = match arguments.as_slice() {
        [] => 30,
        [option, minutes] if option == "--minutes" => {
            minutes.parse().context("--minutes takes a number")?
        }
        _ => bail!("there is nothing but --minutes N"),
    };
    let report = long::measure(minutes, |minute| println!("{minute}")).await?;
    println!("{report}");
    let folder = std::path::Path::new("target/bench");
    std::fs::create_dir_all(folder)?;
    std::fs::write(
        folder.join("long.json"),
        serde_json::to_vec_pretty(&report.json())?,
    )?;
    println!("written to target/bench/long.json");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("only Linux has the sound system whose devices can be virtual");
}
