//! The picture in the tray: the application's icon with the person's state in its corner, told by form as well as by colour.

use tauri::image::Image;

use super::state::Badge;

/// Side of the picture, in pixels. Trays scale it down.
const SIDE: u32 = 64;

/// The badge's middle and radius.
const MIDDLE: (f32, f32) = (46.0, 46.0);
const RADIUS: f32 = 17.0;

/// So much around the badge is left free of the icon.
const GAP: f32 = 3.0;

const GREEN: [u8; 3] = [63, 203, 156];
const RED: [u8; 3] = [213, 57, 74];
const GRAY: [u8; 3] = [109, 125, 118];
const WHITE: [u8; 3] = [255, 255, 255];

/// The icon with this badge.
pub fn with(badge: Badge) -> Image<'static> {
    let mut pixels = halved(tauri::include_image!("assets/icons/128x128.png").rgba());
    if badge != Badge::None {
        for y in 0..SIDE {
            for x in 0..SIDE {
                let at = ((y * SIDE + x) * 4) as usize;
                paint(
                    &mut pixels[at..at + 4],
                    badge,
                    x as f32 + 0.5,
                    y as f32 + 0.5,
                );
            }
        }
    }
    Image::new_owned(pixels, SIDE, SIDE)
}

/// Half as wide and half as high.
fn halved(large: &[u8]) -> Vec<u8> {
    let row = SIDE as usize * 2 * 4;
    let mut small = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for y in 0..SIDE as usize {
        for x in 0..SIDE as usize {
            let corner = y * 2 * row + x * 2 * 4;
            for channel in 0..4 {
                let four = [0, 4, row, row + 4];
                let sum: u16 = four
                    .iter()
                    .map(|next| u16::from(large[corner + next + channel]))
                    .sum();
                small.push((sum / 4) as u8);
            }
        }
    }
    small
}

fn paint(pixel: &mut [u8], badge: Badge, x: f32, y: f32) {
    let (x, y) = (x - MIDDLE.0, y - MIDDLE.1);
    let distance = x.hypot(y);
    // Edges are one pixel soft.
    let within = |radius: f32| (radius + 0.5 - distance).clamp(0.0, 1.0);
    let free = within(RADIUS + GAP);
    pixel[3] = (f32::from(pixel[3]) * (1.0 - free)) as u8;
    let disc = within(RADIUS);
    let (colour, cover, mark) = match badge {
        Badge::None => return,
        Badge::InCall => (GREEN, disc, 0.0),
        Badge::Offline => (GRAY, disc - within(RADIUS - 6.0), 0.0),
        Badge::DoNotDisturb => (RED, disc, bar(x, y)),
        Badge::Muted => {
            let turned = std::f32::consts::FRAC_1_SQRT_2;
            (RED, disc, bar((x + y) * turned, (y - x) * turned))
        }
    };
    blend(pixel, colour, cover);
    blend(pixel, WHITE, mark);
}

/// A bar across the badge.
fn bar(x: f32, y: f32) -> f32 {
    (3.0 - y.abs()).clamp(0.0, 1.0) * (10.5 - x.abs()).clamp(0.0, 1.0)
}

fn blend(pixel: &mut [u8], colour: [u8; 3], cover: f32) {
    if cover <= 0.0 {
        return;
    }
    let below = f32::from(pixel[3]) / 255.0 * (1.0 - cover);
    let alpha = cover + below;
    for (channel, colour) in pixel.iter_mut().zip(colour) {
        *channel = ((f32::from(colour) * cover + f32::from(*channel) * below) / alpha) as u8;
    }
    pixel[3] = (alpha * 255.0) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_looks_different_in_shades_of_gray_too() {
        let all = [
            Badge::None,
            Badge::InCall,
            Badge::Muted,
            Badge::DoNotDisturb,
            Badge::Offline,
        ];
        let gray = |badge| {
            let image = with(badge);
            let pixels = image.rgba().chunks(4);
            let light = |pixel: &[u8]| {
                let sum: u32 = pixel[..3].iter().map(|&channel| u32::from(channel)).sum();
                (sum / 3 * u32::from(pixel[3]) / 255) as i32
            };
            pixels.map(light).collect::<Vec<_>>()
        };
        for (at, one) in all.into_iter().enumerate() {
            for other in all.into_iter().skip(at + 1) {
                let far = |(a, b): &(&i32, &i32)| (*a - *b).abs() > 40;
                let different = gray(one).iter().zip(&gray(other)).filter(far).count();
                assert!(different > 50, "{one:?} and {other:?}: {different} pixels");
            }
        }
    }
}
