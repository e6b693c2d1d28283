//! `cargo xtask bench echo`: how a room with a loudspeaker sounds at the far side, and who speaks in it, by PESQ.

use anyhow::Result;

use super::simulation::Simulation;
use crate::steps::Steps;

const JUDGE: &str = include_str!("echo.py");

/// Voices, and what they say: Harvard sentences (IEEE Recommended Practice for Speech Quality Measurements, 1969), lists 1, 3, 5
/// and 6.
const VOICES: [(&str, &str, &str); 4] = [
    (
        "ann",
        "en-us+f3",
        "The small pup gnawed a hole in the sock. The fish twisted and turned on the bent hook. \
        Press the pants and sew a button on the vest. The swan dive was far short of perfect. \
        The beauty of the view stunned the young boy. Two blue fish swam in the tank. \
        Her purse was full of useless trash. The colt reared and threw the tall rider. \
        It snowed, rained, and hailed the same morning. Read verse out loud for pleasure.",
    ),
    (
        "bob",
        "en-us",
        "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. \
        It's easy to tell the depth of a well. These days a chicken leg is a rare dish. \
        Rice is often served in round bowls. The juice of lemons makes fine punch. \
        The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage. \
        Four hours of steady work faced us. A large size in stockings is hard to sell.",
    ),
    (
        "carl",
        "en-gb+m5",
        "A king ruled the state in the early days. The ship was torn apart on the sharp reef. \
        Sickness kept him home the third week. The wide road shimmered in the hot sun. \
        The lazy cow lay in the cool grass. Lift the square stone over the fence. \
        The rope will bind the seven books at once. Hop over the fence and plunge in. \
        The friendly gang left the drug store. Mesh wire keeps chicks inside.",
    ),
    (
        "dora",
        "en-gb+f2",
        "The frosty air passed through the coat. The crooked maze failed to fool the mouse. \
        Adding fast leads to wrong sums. The show was a flop from the very start. \
        A saw is a tool used for making boards. The wagon moved on well oiled wheels. \
        March the soldiers past the next hill. A cup of sugar makes sweet fudge. \
        Place a rosebush near the porch steps. Both lost their lives in the raging storm.",
    ),
];

/// Runs it.
pub fn measure(steps: &mut Steps) -> Result<()> {
    let files = VOICES.map(|(name, ..)| format!("{name}.wav"));
    let words = VOICES.map(|(_, voice, sentences)| ["-v", voice, sentences]);
    let voices: Vec<(&str, &[&str])> = files
        .iter()
        .zip(&words)
        .map(|(file, words)| (file.as_str(), &words[..]))
        .collect();
    let simulation = Simulation {
        name: "echo",
        example: "echo_quality",
        judge: JUDGE,
        voices: &voices,
    };
    simulation.measure(steps)
}
