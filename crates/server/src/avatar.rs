//! Pictures of people. What somebody sends is decoded here and written anew, so that nothing but pixels is ever passed on:
//! no place where it was taken, no second file hidden behind the first, no trick against somebody else's decoder.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// Every avatar is a JPEG of so many pixels each way.
pub const AVATAR_SIDE: u32 = 256;

/// A picture that is larger either way is not decoded.
const MAX_SIDE: u32 = 2048;

/// What a decoder may hold: a picture of the largest size with an alpha channel.
const MAX_DECODER_BYTES: u64 = 2048 * 2048 * 4;

const QUALITY: u8 = 85;

/// Why a picture was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AvatarError {
    /// Another format, or broken.
    #[error("This picture cannot be read. Please choose a PNG, JPEG or WebP file.")]
    Unreadable,
    /// Too many pixels.
    #[error("This picture is too large. Please choose one of at most 2048 × 2048 pixels.")]
    TooLarge,
}

/// The picture, cut to a square round its middle, as JPEG of [`AVATAR_SIDE`]. Takes some 100 ms of a core and 40 MB at
/// most.
///
/// # Errors
/// When it cannot be read, or is larger than a decoder may hold.
pub fn rewrite(file: &[u8]) -> Result<Vec<u8>, AvatarError> {
    let picture = decode(file)?;
    let square = picture.resize_to_fill(AVATAR_SIDE, AVATAR_SIDE, FilterType::Triangle);
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    // JPEG knows no transparency: what shows nothing shows white.
    on_white(&square)
        .write_with_encoder(encoder)
        .map_err(|_| AvatarError::Unreadable)?;
    Ok(jpeg)
}

fn decode(file: &[u8]) -> Result<DynamicImage, AvatarError> {
    let mut reader = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .map_err(|_| AvatarError::Unreadable)?;
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP];
    if !reader
        .format()
        .is_some_and(|format| known.contains(&format))
    {
        return Err(AvatarError::Unreadable);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(problem)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(AvatarError::Unreadable);
    }
    if decoder.total_bytes() > MAX_DECODER_BYTES {
        return Err(AvatarError::TooLarge);
    }
    // Telephones leave pictures as the camera was held, and say how to turn them.
    let orientation = decoder.orientation().map_err(problem)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(problem)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn problem(error: image::ImageError) -> AvatarError {
    match error {
        image::ImageError::Limits(_) => AvatarError::TooLarge,
        _ => AvatarError::Unreadable,
    }
}

fn on_white(picture: &DynamicImage) -> DynamicImage {
    let mut flat = image::RgbImage::new(picture.width(), picture.height());
    for (pixel, from) in flat.pixels_mut().zip(picture.to_rgba8().pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        let over = |colour: u32| ((colour * alpha + 255 * (255 - alpha)) / 255) as u8;
        pixel.0 = [over(red), over(green), over(blue)];
    }
    DynamicImage::ImageRgb8(flat)
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn written(picture: &RgbaImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let picture = DynamicImage::ImageRgba8(picture.clone());
        let picture = match format {
            ImageFormat::Jpeg => DynamicImage::ImageRgb8(picture.to_rgb8()),
            _ => picture,
        };
        picture.write_to(&mut file, format).expect("written");
        file.into_inner()
    }

    #[test]
    fn every_known_format_becomes_a_square_jpeg_of_the_middle() {
        let mut picture = RgbaImage::from_pixel(400, 100, Rgba([255, 0, 0, 255]));
        for (x, _, pixel) in picture.enumerate_pixels_mut() {
            if (150..250).contains(&x) {
                *pixel = Rgba([0, 0, 255, 255]);
            }
        }
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let jpeg = rewrite(&written(&picture, format)).expect("readable");
            let again = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg);
            let again = again.expect("a JPEG").to_rgb8();
            assert_eq!(again.dimensions(), (AVATAR_SIDE, AVATAR_SIDE));
            let [red, _, blue] = again.get_pixel(128, 128).0;
            assert!(blue > 200 && red < 50, "{format:?}: {red} {blue}");
        }
    }

    #[test]
    fn what_is_transparent_is_white() {
        let clear = RgbaImage::from_pixel(10, 10, Rgba([0, 0, 0, 0]));
        let jpeg = rewrite(&written(&clear, ImageFormat::Png)).expect("readable");
        let again = image::load_from_memory(&jpeg).expect("a JPEG").to_rgb8();
        assert!(again.get_pixel(100, 100).0.iter().all(|value| *value > 250));
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused_before_it_is_decoded() {
        let small = written(&RgbaImage::new(4, 4), ImageFormat::Png);
        assert_eq!(rewrite(b""), Err(AvatarError::Unreadable));
        assert_eq!(rewrite(b"<svg></svg>"), Err(AvatarError::Unreadable));
        assert_eq!(
            rewrite(b"GIF89a\x01\x00\x01\x00"),
            Err(AvatarError::Unreadable)
        );
        assert_eq!(
            rewrite(&small[..small.len() / 2]),
            Err(AvatarError::Unreadable)
        );
        // A few bytes that claim to be 60,000 pixels wide.
        let wide = written(&RgbaImage::new(60_000, 1), ImageFormat::Png);
        assert!(wide.len() < vireo_protocol::MAX_AVATAR_BYTES);
        assert_eq!(rewrite(&wide), Err(AvatarError::TooLarge));
    }
}
