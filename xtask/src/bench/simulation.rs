//! Sound that an example of vireo-media makes of spoken sentences, on virtual time, and what PESQ says of it.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, ensure};

use crate::setup::{PESQ, Purpose, set_up};
use crate::steps::Steps;
use crate::{process, workspace};

/// What is simulated, and how it is judged.
pub struct Simulation<'a> {
    /// In `target/bench/`.
    pub name: &'a str,
    /// Of vireo-media. It is given the folder with the voices, and says on its output what it has made.
    pub example: &'a str,
    /// In Python. It is given that output, the folder, and the file that it is to write.
    pub judge: &'a str,
    /// What espeak-ng is told for each file.
    pub voices: &'a [(&'a str, &'a [&'a str])],
}

impl Simulation<'_> {
    /// Runs it.
    pub fn measure(&self, steps: &mut Steps) -> Result<()> {
        set_up(steps, &[Purpose::Build, Purpose::Test])?;
        let python = steps.run("Set-up: PESQ", || PESQ.ensure())?;
        steps.run("Build the simulation", || {
            process::run(&mut workspace::cargo(&[
                "build",
                "--quiet",
                "--package",
                "vireo-media",
                "--example",
                self.example,
            ]))
        })?;
        // It runs on virtual time, and vireo-media is optimised in every profile.
        println!("── Measure");
        let bench = workspace::target().join("bench");
        let folder = bench.join(self.name);
        fs::create_dir_all(&folder)?;
        for (file, words) in self.voices {
            process::run(
                process::command("espeak-ng")
                    .arg("-w")
                    .arg(folder.join(file))
                    .args(*words),
            )?;
        }
        let written = format!("{}.json", self.name);
        self.judge(&python, &folder, &bench.join(&written))?;
        println!("written to target/bench/{written}");
        Ok(())
    }

    fn judge(&self, python: &Path, folder: &Path, target: &Path) -> Result<()> {
        let example = workspace::program(&format!("examples/{}", self.example), false);
        let list = folder.join("list.jsonl");
        let heard = process::command(&example.to_string_lossy())
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(File::create(&list)?)
            .status()?;
        ensure!(heard.success(), "the simulation failed ({heard})");
        let judged = process::command(&python.to_string_lossy())
            .args(["-c", self.judge])
            .args([folder, target])
            .stdin(File::open(&list)?)
            .status()?;
        ensure!(judged.success(), "the judgement failed ({judged})");
        Ok(())
    }
}
