//! The table and the file that the measurement leaves.

use std::fmt;

use serde_json::{Value, json};

use super::{Measures, Scene};
use crate::bench::Limit::{AtLeast, AtMost};
use crate::bench::{Engine, Goal, Outcome, percentile};

/// What is to be reached in each scene. A picture of more bits is no comparison.
const GOALS: [Goal<Measures>; 3] = [
    Goal::new(
        AtLeast(0.0),
        "VMAF not below Chromium's (difference)",
        |vireo, chromium| Some(vireo.vmaf - chromium?.vmaf),
    ),
    Goal::new(
        AtLeast(0.0),
        "SSIM not below Chromium's (difference)",
        |vireo, chromium| Some(vireo.ssim - chromium?.ssim),
    ),
    Goal::new(
        AtMost(1.05),
        "for no more bits (1 = as many)",
        |vireo, chromium| Some(vireo.kilobits_per_second / chromium?.kilobits_per_second),
    ),
];

/// All calls of a measurement.
#[derive(Default)]
pub struct Report(Vec<(Scene, Engine, Measures)>);

impl Report {
    /// Adds a call.
    pub fn add(&mut self, scene: Scene, engine: Engine, measures: Measures) {
        self.0.push((scene, engine, measures));
    }

    /// The file's content: of each scene the medians and the goals, and every call.
    #[must_use]
    pub fn json(&self) -> Value {
        let scenes = self.scenes().into_iter().map(|scene| {
            let [vireo, chromium] = self.medians(scene);
            json!({
                "content": scene.content, "bitRate": scene.bit_rate, "vireo": vireo, "chromium": chromium,
                "goals": outcomes(vireo.as_ref(), chromium.as_ref()), "calls": self.calls(scene),
            })
        });
        Value::Array(scenes.collect())
    }

    fn scenes(&self) -> Vec<Scene> {
        let mut scenes: Vec<Scene> = Vec::new();
        for (scene, ..) in &self.0 {
            if !scenes.contains(scene) {
                scenes.push(*scene);
            }
        }
        scenes
    }

    fn calls(&self, scene: Scene) -> Vec<Value> {
        let calls = self.0.iter().filter(|(one, ..)| *one == scene);
        calls
            .map(|(_, engine, measures)| json!({ "engine": engine, "measures": measures }))
            .collect()
    }

    fn medians(&self, scene: Scene) -> [Option<Measures>; 2] {
        [Engine::Vireo, Engine::Chromium].map(|engine| {
            let calls = self
                .0
                .iter()
                .filter(|(one, who, _)| (*one, *who) == (scene, engine));
            let calls: Vec<Measures> = calls.map(|(.., measures)| *measures).collect();
            let median = |figure: fn(&Measures) -> f64| {
                percentile(&mut calls.iter().map(figure).collect::<Vec<_>>(), 0.5)
            };
            (!calls.is_empty()).then(|| Measures {
                vmaf: median(|m| m.vmaf),
                ssim: median(|m| m.ssim),
                kilobits_per_second: median(|m| m.kilobits_per_second),
                fps: median(|m| m.fps),
                height: median(|m| m.height),
            })
        })
    }
}

fn outcomes(vireo: Option<&Measures>, chromium: Option<&Measures>) -> Vec<Outcome> {
    let outcome =
        |goal: &Goal<Measures>| vireo.and_then(|measures| goal.outcome(measures, chromium));
    GOALS.iter().filter_map(outcome).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:11}{:>9}{:>9}{:>9}{:>9}{:>9}",
            "medians", "VMAF", "SSIM", "kbit/s", "fps", "rows"
        )?;
        for scene in self.scenes() {
            let kilobits = scene.bit_rate / 1_000;
            writeln!(f, "{}, {kilobits} kbit/s at most", scene.content.name())?;
            let [vireo, chromium] = self.medians(scene);
            line(f, "Vireo", vireo.as_ref())?;
            line(f, "Chromium", chromium.as_ref())?;
            for outcome in outcomes(vireo.as_ref(), chromium.as_ref()) {
                writeln!(f, "{outcome}")?;
            }
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, who: &str, measures: Option<&Measures>) -> fmt::Result {
    let Some(measures) = measures else {
        return Ok(());
    };
    let Measures {
        vmaf,
        ssim,
        kilobits_per_second,
        fps,
        height,
    } = measures;
    writeln!(
        f,
        "  {who:9}{vmaf:>9.1}{ssim:>9.4}{kilobits_per_second:>9.0}{fps:>9.1}{height:>9.0}"
    )
}
