//! `cargo xtask bench sound`: how speech, as espeak-ng says it, survives losses, by PESQ.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, ensure};

use crate::setup::{PESQ, Purpose, set_up};
use crate::steps::Steps;
use crate::{process, workspace};

const JUDGE: &str = include_str!("sound.py");

/// Harvard sentences (IEEE Recommended Practice for Speech Quality Measurements, 1969), lists 1 and 2.
const SENTENCES: &str = "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. \
It's easy to tell the depth of a well. These days a chicken leg is a rare dish. Rice is often served in round bowls. \
The juice of lemons makes fine punch. The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage. \
Four hours of steady work faced us. A large size in stockings is hard to sell. The boy was there when the sun rose. \
A rod is used to catch pink salmon. The source of the huge river is the clear spring. Kick the ball straight and follow through. \
Help the woman get back to her feet. A pot of tea helps to pass the evening. Smoky fires lack flame and heat. \
The soft cushion broke the man's fall. The salt breeze came across from the sea. The girl at the booth sold fifty bonds.";

/// Runs it.
pub fn measure(steps: &mut Steps) -> Result<()> {
    set_up(steps, &[Purpose::Build, Purpose::Test])?;
    let python = steps.run("Set-up: PESQ", || PESQ.ensure())?;
    steps.run("Build the simulation", || {
        process::run(&mut workspace::cargo(&[
            "build",
            "--quiet",
            "--package",
            "vireo-media",
            "--example",
            "sound_quality",
        ]))
    })?;
    // It runs on virtual time, and vireo-media is optimised in every profile.
    println!("── Measure");
    let bench = workspace::target().join("bench");
    let folder = bench.join("sound");
    fs::create_dir_all(&folder)?;
    process::run(
        process::command("espeak-ng")
            .args(["-v", "en-us", "-s", "150", "-w"])
            .arg(folder.join("speech.wav"))
            .arg(SENTENCES),
    )?;
    judge(&python, &folder, &bench.join("sound.json"))?;
    println!("written to target/bench/sound.json");
    Ok(())
}

fn judge(python: &Path, folder: &Path, target: &Path) -> Result<()> {
    let example = workspace::program("examples/sound_quality", false);
    let list = folder.join("list.jsonl");
    let heard = process::command(&example.to_string_lossy())
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(File::create(&list)?)
        .status()?;
    ensure!(heard.success(), "the simulation failed ({heard})");
    let judged = process::command(&python.to_string_lossy())
        .args(["-c", JUDGE])
        .args([folder, target])
        .stdin(File::open(&list)?)
        .status()?;
    ensure!(judged.success(), "the judgement failed ({judged})");
    Ok(())
}
