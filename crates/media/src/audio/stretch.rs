//! Shortens and lengthens sound without changing its pitch: to catch up when it waits longer than it need, and to make room
//! for what comes later than it did.

/// Lags that are tried: 2.5 to 10 ms, which are pitches of 100 to 400 Hz (or several periods of higher ones).
const LAGS: std::ops::RangeInclusive<usize> = 120..=480;

/// Length of what is compared and faded over: 5 ms.
const OVERLAP: usize = 240;

/// Below this likeness a cut would be heard.
const ALIKE: f32 = 0.6;

/// Below this level (−60 dBFS) no cut is heard.
const QUIET: f32 = 0.001;

/// So many samples are enough to stretch.
pub(crate) const ENOUGH: usize = *LAGS.end() + OVERLAP;

/// Takes one period (or a few) out of the beginning of `samples`, fading over. Leaves them as they are when no period is
/// found or there are too few of them. Returns how many samples were taken out.
pub(crate) fn shorten(samples: &mut Vec<f32>) -> usize {
    if samples.len() < ENOUGH {
        return 0;
    }
    let Some(lag) = period(|lag| (&samples[..OVERLAP], &samples[lag..lag + OVERLAP])) else {
        return 0;
    };
    for i in 0..OVERLAP {
        let fade = i as f32 / OVERLAP as f32;
        samples[i] = samples[i] * (1.0 - fade) + samples[i + lag] * fade;
    }
    samples.drain(OVERLAP..OVERLAP + lag);
    lag
}

/// Puts the last period (or a few) of what was played before `samples` in once more between them, fading over. Leaves them as
/// they are when no period is found, there are too few of them or nothing long enough was played. Returns how many samples
/// were put in.
pub(crate) fn lengthen(played: &[f32], samples: &mut Vec<f32>) -> usize {
    let end = played.len();
    if end < ENOUGH || samples.len() < OVERLAP {
        return 0;
    }
    let ends = |lag| {
        let begin = end - OVERLAP;
        (&played[begin..], &played[begin - lag..end - lag])
    };
    let Some(lag) = period(ends) else {
        return 0;
    };
    let mut again = played[end - lag..].to_vec();
    let fades = lag.min(OVERLAP);
    for (i, (again, sample)) in again.iter_mut().zip(&*samples).take(fades).enumerate() {
        let fade = i as f32 / fades as f32;
        *again = sample * (1.0 - fade) + *again * fade;
    }
    samples.splice(..0, again);
    lag
}

/// After how many samples the sound comes again: `pair` gives two pieces so far from each other.
fn period<'a>(pair: impl Fn(usize) -> (&'a [f32], &'a [f32])) -> Option<usize> {
    let (piece, _) = pair(*LAGS.start());
    if energy(piece) / OVERLAP as f32 <= QUIET * QUIET {
        return Some(*LAGS.end());
    }
    let likeness = |lag: usize| {
        let (one, other) = pair(lag);
        let product: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
        product / (energy(one) * energy(other)).sqrt().max(f32::MIN_POSITIVE)
    };
    LAGS.map(|lag| (lag, likeness(lag)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, alike)| *alike >= ALIKE)
        .map(|(lag, _)| lag)
}

fn energy(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_stays_one() {
        for hz in [150.0, 440.0, 1_000.0, 3_000.0] {
            let step = std::f32::consts::TAU * hz / 48_000.0;
            let mut played: Vec<f32> = (0..1_920).map(|i| 0.5 * (step * i as f32).sin()).collect();
            let (mut shorter, mut longer) = (played[..960].to_vec(), played.split_off(1_440));
            let removed = shorten(&mut shorter);
            let added = lengthen(&played, &mut longer);
            assert!(LAGS.contains(&removed), "{hz}: {removed}");
            assert!(LAGS.contains(&added), "{hz}: {added}");
            assert_eq!((shorter.len(), longer.len()), (960 - removed, 480 + added));
            for samples in [shorter, [played, longer].concat()] {
                // No jump is larger than the tone's own steepest step.
                let steepest = samples
                    .windows(2)
                    .map(|pair| (pair[1] - pair[0]).abs())
                    .fold(0.0, f32::max);
                assert!(steepest < 0.5 * step * 1.3, "{hz}: {steepest}");
            }
        }
    }

    #[test]
    fn silence_is_stretched_and_noise_is_not() {
        let mut silence = vec![0.0; 960];
        assert_eq!(lengthen(&silence.clone(), &mut silence), 480);
        assert_eq!(silence.len(), 1_440);
        assert_eq!(shorten(&mut silence), 480);
        let mut state = 1_u32;
        let mut noise: Vec<f32> = (0..1_920)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect();
        let played = noise.split_off(960);
        assert_eq!((shorten(&mut noise), lengthen(&played, &mut noise)), (0, 0));
        assert_eq!(lengthen(&[0.0; 480], &mut noise), 0);
        assert_eq!(shorten(&mut vec![0.0; 480]), 0);
    }
}
