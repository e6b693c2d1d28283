//! Which of a camera's formats to take.

use nokhwa::utils::{CameraFormat, FrameFormat};

use crate::video::VideoFormat;

/// What can be converted.
pub(super) const READABLE: [FrameFormat; 6] = [
    FrameFormat::NV12,
    FrameFormat::YUYV,
    FrameFormat::MJPEG,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
    FrameFormat::GRAY,
];

/// Every format, the best one for what is wanted first.
pub(super) fn best_first(formats: &[CameraFormat], wanted: VideoFormat) -> Vec<CameraFormat> {
    let mut formats: Vec<CameraFormat> = formats
        .iter()
        .copied()
        .filter(|format| format.frame_rate() > 0)
        .collect();
    formats.sort_by(|one, other| cost(*one, wanted).total_cmp(&cost(*other, wanted)));
    formats.dedup();
    formats
}

/// A picture that is too small is the worst, then one that is too rare; a larger one costs bandwidth on the cable and scaling.
fn cost(format: CameraFormat, wanted: VideoFormat) -> f64 {
    let share = |has: u32, wants: u32| f64::from(has) / f64::from(wants.max(1));
    let width = share(format.resolution().width(), wanted.width);
    let height = share(format.resolution().height(), wanted.height);
    let (smaller, larger) = (width.min(height), width.max(height));
    let size = if smaller < 1.0 {
        1000.0 * (1.0 - smaller)
    } else {
        0.0
    } + (larger - 1.0).max(0.0) * 100.0;
    let rate = share(format.frame_rate(), wanted.frame_rate);
    let rate = if rate < 1.0 {
        600.0 * (1.0 - rate)
    } else {
        5.0 * (rate - 1.0)
    };
    size + rate + conversion(format.format())
}

/// Roughly milliseconds for a 720p picture, times ten; grey shows that colours count.
fn conversion(format: FrameFormat) -> f64 {
    match format {
        FrameFormat::NV12 => 2.0,
        FrameFormat::YUYV => 3.0,
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => 15.0,
        FrameFormat::MJPEG => 40.0,
        FrameFormat::GRAY => 300.0,
    }
}

#[cfg(test)]
mod tests {
    use nokhwa::utils::Resolution;

    use super::*;

    const HD: VideoFormat = VideoFormat {
        width: 1280,
        height: 720,
        frame_rate: 30,
    };

    fn format(width: u32, height: u32, format: FrameFormat, rate: u32) -> CameraFormat {
        CameraFormat::new(Resolution::new(width, height), format, rate)
    }

    fn best(formats: &[CameraFormat]) -> CameraFormat {
        best_first(formats, HD)[0]
    }

    #[test]
    fn a_usual_usb_camera_gives_its_jpeg_at_720p30() {
        let jpeg = format(1280, 720, FrameFormat::MJPEG, 30);
        let formats = [
            format(640, 480, FrameFormat::YUYV, 30),
            format(1280, 720, FrameFormat::YUYV, 10),
            format(320, 180, FrameFormat::RAWBGR, 120),
            format(1920, 1080, FrameFormat::MJPEG, 30),
            jpeg,
        ];
        assert_eq!(best(&formats), jpeg);
    }

    #[test]
    fn uncompressed_is_taken_where_it_is_as_good() {
        let raw = format(1280, 720, FrameFormat::NV12, 30);
        let formats = [
            format(1280, 720, FrameFormat::MJPEG, 60),
            format(1280, 720, FrameFormat::YUYV, 30),
            raw,
        ];
        assert_eq!(best(&formats), raw);
    }

    #[test]
    fn a_larger_picture_beats_a_much_smaller_one() {
        let large = format(1920, 1080, FrameFormat::NV12, 30);
        assert_eq!(
            best(&[format(640, 360, FrameFormat::NV12, 30), large]),
            large
        );
    }

    #[test]
    fn a_format_without_a_rate_is_left_out() {
        assert!(best_first(&[format(1280, 720, FrameFormat::NV12, 0)], HD).is_empty());
    }
}
