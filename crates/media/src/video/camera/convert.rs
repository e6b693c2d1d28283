//! From what cameras deliver to I420 (BT.601, limited range). An odd last row or column is cut off.

use std::time::Instant;

use nokhwa::utils::FrameFormat;
use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPackedImage, YuvPlanarImageMut, YuvRange,
    YuvStandardMatrix,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::VideoFrame;

/// Cameras beyond this do not exist; a broken header would otherwise make us ask for any amount of memory.
const MAX_SIDE: usize = 8_192;

/// Converts a picture of this size. JPEG says its size itself.
pub(super) fn to_i420(
    data: &[u8],
    format: FrameFormat,
    width: u32,
    height: u32,
    captured_at: Instant,
) -> Result<VideoFrame, String> {
    if format == FrameFormat::MJPEG {
        return jpeg(data, captured_at);
    }
    let mut frame = match format {
        // Its chroma is not in the data.
        FrameFormat::GRAY => VideoFrame::black(width & !1, height & !1),
        _ => VideoFrame::blank(width & !1, height & !1),
    };
    frame.captured_at = captured_at;
    let (columns, rows) = (width as usize, height as usize);
    let needed = match format {
        FrameFormat::NV12 => columns * rows + columns.div_ceil(2) * 2 * rows.div_ceil(2),
        FrameFormat::YUYV => columns.div_ceil(2) * 4 * rows,
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => columns * 3 * rows,
        FrameFormat::GRAY | FrameFormat::MJPEG => columns * rows,
    };
    if data.len() < needed || frame.width == 0 || frame.height == 0 {
        return Err(format!(
            "{} bytes are no picture of {width}×{height} in {format}",
            data.len()
        ));
    }
    match format {
        FrameFormat::NV12 => nv12(data, columns, rows, &mut frame),
        FrameFormat::YUYV => yuyv(data, columns, &mut frame)?,
        FrameFormat::RAWRGB => rgb(data, columns, &mut frame, yuv::rgb_to_yuv420)?,
        FrameFormat::RAWBGR => rgb(data, columns, &mut frame, yuv::bgr_to_yuv420)?,
        FrameFormat::GRAY | FrameFormat::MJPEG => copy_luma(data, columns, &mut frame),
    }
    Ok(frame)
}

fn planar(frame: &mut VideoFrame) -> YuvPlanarImageMut<'_, u8> {
    let (width, height) = (frame.width, frame.height);
    let [y, u, v] = frame.planes_mut();
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(u),
        u_stride: width / 2,
        v_plane: BufferStoreMut::Borrowed(v),
        v_stride: width / 2,
        width,
        height,
    }
}

fn copy_luma(data: &[u8], stride: usize, frame: &mut VideoFrame) {
    let width = frame.width as usize;
    for (to, from) in frame.planes_mut()[0]
        .chunks_exact_mut(width)
        .zip(data.chunks_exact(stride))
    {
        to.copy_from_slice(&from[..width]);
    }
}

fn nv12(data: &[u8], columns: usize, rows: usize, frame: &mut VideoFrame) {
    let (luma, chroma) = data.split_at(columns * rows);
    copy_luma(luma, columns, frame);
    let half = frame.chroma_width();
    let [_, u, v] = frame.planes_mut();
    let lines = chroma.chunks_exact(columns.div_ceil(2) * 2);
    for ((u, v), line) in u
        .chunks_exact_mut(half)
        .zip(v.chunks_exact_mut(half))
        .zip(lines)
    {
        for ((u, v), pair) in u.iter_mut().zip(v).zip(line.chunks_exact(2)) {
            (*u, *v) = (pair[0], pair[1]);
        }
    }
}

fn yuyv(data: &[u8], columns: usize, frame: &mut VideoFrame) -> Result<(), String> {
    let stride = columns.div_ceil(2) * 4;
    let packed = YuvPackedImage {
        yuy: &data[..stride * frame.height as usize],
        yuy_stride: stride as u32,
        width: frame.width,
        height: frame.height,
    };
    yuv::yuyv422_to_yuv420(&mut planar(frame), &packed).map_err(|problem| problem.to_string())
}

type FromRgb = fn(
    &mut YuvPlanarImageMut<'_, u8>,
    &[u8],
    u32,
    YuvRange,
    YuvStandardMatrix,
    YuvConversionMode,
) -> Result<(), yuv::YuvError>;

fn rgb(
    data: &[u8],
    columns: usize,
    frame: &mut VideoFrame,
    convert: FromRgb,
) -> Result<(), String> {
    let stride = columns * 3;
    let data = &data[..stride * frame.height as usize];
    let mode = YuvConversionMode::Balanced;
    convert(
        &mut planar(frame),
        data,
        stride as u32,
        YuvRange::Limited,
        YuvStandardMatrix::Bt601,
        mode,
    )
    .map_err(|problem| problem.to_string())
}

fn jpeg(data: &[u8], captured_at: Instant) -> Result<VideoFrame, String> {
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .jpeg_set_out_colorspace(ColorSpace::YCbCr);
    let whole = with_tables(data);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&whole[..]), options);
    decoder
        .decode_headers()
        .map_err(|problem| problem.to_string())?;
    if decoder.input_colorspace() == Some(ColorSpace::Luma) {
        decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
    }
    let pixels = decoder.decode().map_err(|problem| problem.to_string())?;
    let info = decoder.info().ok_or("a JPEG picture without a size")?;
    let (columns, rows) = (usize::from(info.width), usize::from(info.height));
    if columns < 2 || rows < 2 {
        return Err("a JPEG picture of a single row or column".into());
    }
    let mut frame = VideoFrame::black(u32::from(info.width) & !1, u32::from(info.height) & !1);
    frame.captured_at = captured_at;
    match pixels.len() / (columns * rows) {
        3 => full_range_444(&pixels, columns, &mut frame),
        1 => {
            copy_luma(&pixels, columns, &mut frame);
            frame.planes_mut()[0]
                .iter_mut()
                .for_each(|luma| *luma = limited_luma(*luma));
        }
        _ => return Err("a JPEG picture in colours that are not a camera's".into()),
    }
    Ok(frame)
}

/// Cameras leave out the Huffman tables, which are the same for all; the decoder puts them in when the picture is marked as
/// part of a Motion JPEG.
fn with_tables(data: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    const MARK: &[u8] = &[
        0xff, 0xe0, 0, 16, b'A', b'V', b'I', b'1', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    if data.len() < 2 || has_huffman_tables(data) {
        return data.into();
    }
    [&data[..2], MARK, &data[2..]].concat().into()
}

/// Walks over the segments before the first scan.
fn has_huffman_tables(data: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = data
        .get(at..at + 4)
        .and_then(|head| head.first_chunk::<4>())
    {
        match marker {
            0xc4 => return true,
            0xda => return false,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    false
}

const fn limited_luma(full: u8) -> u8 {
    (16 + (full as u32 * 219 + 127) / 255) as u8
}

/// JPEG uses the full range, for each pixel its own chroma.
fn full_range_444(pixels: &[u8], columns: usize, frame: &mut VideoFrame) {
    let (width, half) = (frame.width as usize, frame.chroma_width());
    let stride = columns * 3;
    let [luma, blue, red] = frame.planes_mut();
    let chroma = |sum: u32| {
        (128 + ((sum as i32 - 512) * 224 + if sum >= 512 { 510 } else { -510 }) / 1020) as u8
    };
    for (pair, (blue, red)) in blue
        .chunks_exact_mut(half)
        .zip(red.chunks_exact_mut(half))
        .enumerate()
    {
        let upper = &pixels[pair * 2 * stride..][..width * 3];
        let lower = &pixels[(pair * 2 + 1) * stride..][..width * 3];
        let (first, second) = luma[pair * 2 * width..][..width * 2].split_at_mut(width);
        for (to, from) in [(first, upper), (second, lower)] {
            for (to, from) in to.iter_mut().zip(from.chunks_exact(3)) {
                *to = limited_luma(from[0]);
            }
        }
        let squares = upper.chunks_exact(6).zip(lower.chunks_exact(6));
        for ((blue, red), (a, b)) in blue.iter_mut().zip(red).zip(squares) {
            let sum = |at: usize| {
                u32::from(a[at]) + u32::from(a[at + 3]) + u32::from(b[at]) + u32::from(b[at + 3])
            };
            *blue = chroma(sum(1));
            *red = chroma(sum(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(
        data: &[u8],
        format: FrameFormat,
        width: u32,
        height: u32,
    ) -> Result<VideoFrame, String> {
        to_i420(data, format, width, height, Instant::now())
    }

    #[test]
    fn raw_formats_become_planes() {
        let nv12 = convert(
            &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
            FrameFormat::NV12,
            4,
            2,
        )
        .expect("a picture");
        assert_eq!(nv12.data, [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 10, 12]);
        let yuyv =
            convert(&[1, 100, 2, 200, 3, 100, 4, 200], FrameFormat::YUYV, 2, 2).expect("a picture");
        assert_eq!(yuyv.data, [1, 2, 3, 4, 100, 200]);
        let grey = convert(&[1, 2, 3, 4], FrameFormat::GRAY, 2, 2).expect("a picture");
        assert_eq!(grey.data, [1, 2, 3, 4, 128, 128]);
        for format in [FrameFormat::RAWRGB, FrameFormat::RAWBGR] {
            let white = convert(&[255; 12], format, 2, 2).expect("a picture");
            assert!(
                white.data[..4].iter().all(|luma| luma.abs_diff(235) <= 1),
                "{:?}",
                white.data
            );
            assert!(
                white.data[4..]
                    .iter()
                    .all(|chroma| chroma.abs_diff(128) <= 1),
                "{:?}",
                white.data
            );
        }
    }

    #[test]
    fn red_and_blue_are_not_swapped() {
        let red = [255, 0, 0].repeat(4);
        let frame = convert(&red, FrameFormat::RAWRGB, 2, 2).expect("a picture");
        assert!(
            frame.data[4] < 128 && frame.data[5] > 200,
            "{:?}",
            frame.data
        );
        let frame = convert(&red, FrameFormat::RAWBGR, 2, 2).expect("a picture");
        assert!(
            frame.data[4] > 200 && frame.data[5] < 128,
            "{:?}",
            frame.data
        );
    }

    #[test]
    fn odd_sizes_are_cut() {
        let frame = convert(&[7; 15], FrameFormat::GRAY, 5, 3).expect("a picture");
        assert_eq!((frame.width, frame.height, frame.data.len()), (4, 2, 12));
        let frame = convert(&[7; 15 + 12], FrameFormat::NV12, 5, 3).expect("a picture");
        assert_eq!((frame.width, frame.height), (4, 2));
        convert(&[7; 36], FrameFormat::YUYV, 5, 3).expect("a picture");
        convert(&[7; 45], FrameFormat::RAWRGB, 5, 3).expect("a picture");
    }

    #[test]
    fn short_and_broken_data_is_refused() {
        for format in super::super::choice::READABLE {
            for length in [0, 1, 2, 3, 4, 5, 11] {
                assert!(
                    convert(&[0xff; 11][..length], format, 4, 4).is_err(),
                    "{format} {length}"
                );
            }
        }
        assert!(
            convert(
                &[0xff, 0xd8, 0xff, 0xc4, 0, 2, 0xff, 0xda],
                FrameFormat::MJPEG,
                4,
                4
            )
            .is_err()
        );
    }

    /// Grey, 8×8, with and without its Huffman tables.
    #[test]
    fn jpeg_decodes_also_without_tables() {
        let quantisation = [&[0xff, 0xdb, 0, 67, 0][..], &[1; 64]].concat();
        let size = [0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
        let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0];
        // A difference of 0 and the end of the block, in the standard tables: 00 1010, filled up with ones.
        let coded = [0b0010_1011, 0xff, 0xd9];
        let bare = [&[0xff, 0xd8][..], &quantisation, &size, &scan, &coded].concat();
        assert!(!has_huffman_tables(&bare));
        let frame = convert(&bare, FrameFormat::MJPEG, 0, 0).expect("a picture");
        assert_eq!((frame.width, frame.height), (8, 8));
        assert!(
            frame.planes()[0]
                .iter()
                .all(|&luma| luma == limited_luma(128))
        );
        assert!(frame.planes()[1].iter().all(|&chroma| chroma == 128));
    }

    #[test]
    fn full_range_is_narrowed() {
        let mut frame = VideoFrame::black(2, 2);
        full_range_444(&[255, 255, 0].repeat(4), 2, &mut frame);
        assert_eq!(frame.data, [235, 235, 235, 235, 240, 16]);
        full_range_444(&[0, 128, 128].repeat(4), 2, &mut frame);
        assert_eq!(frame.data, [16, 16, 16, 16, 128, 128]);
    }
}
