//! The time code that the test picture carries, read from what a window shows.

use crate::webdriver::Session;

/// A time code that was read from a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stamp {
    /// The code: tenths of milliseconds, modulo 2³⁰. Two pictures never have the same one.
    pub code: u64,
    /// How old the picture was when it was read, in milliseconds.
    pub age: f64,
}

/// The time code of the remote picture; none while there is none to be read.
///
/// # Errors
/// When the window does not answer.
pub async fn read(session: &Session) -> anyhow::Result<Option<Stamp>> {
    let answer = session.execute(READ_TIME_CODE).await?;
    let read = answer[0].as_u64().zip(answer[1].as_f64());
    Ok(read.map(|(code, age)| Stamp { code, age }))
}

/// Draws the remote picture where its pixels can be read, and reads the 30 bits along its top edge.
const READ_TIME_CODE: &str = "
const remote = document.getElementById('remote');
if (remote === null || getComputedStyle(remote).visibility === 'hidden') return null;
window.vireoProbe ??= document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const probe = window.vireoProbe;
if (probe.canvas.width !== 1280) { probe.canvas.width = 1280; probe.canvas.height = 32; }
// The picture is 1280 × 720 however large it is shown; only its top edge is looked at.
probe.drawImage(remote, 0, 0, 1280, 720);
const now = Math.floor(Date.now() * 10) % 2 ** 30;
const row = probe.getImageData(0, 16, 960, 1).data;
let code = 0;
for (let bit = 0; bit < 30; bit++) {
  const value = row[4 * (bit * 32 + 16) + 1];
  if (value > 80 && value < 176) return null;
  if (value >= 176) code += 2 ** bit;
}
const age = ((now - code + 2 ** 30) % 2 ** 30) / 10;
return age <= 10000 ? [code, age] : null;
";
