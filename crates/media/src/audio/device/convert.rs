//! Between the sample formats of devices and ours.

use cpal::{Data, FromSample, I24, Sample, SampleFormat, SizedSample, U24};

/// Appends interleaved samples of whatever format to `output`. Nothing for a format that is no sound (DSD).
pub(super) fn read(data: &Data, output: &mut Vec<f32>) {
    match data.sample_format() {
        SampleFormat::F32 => read_as::<f32>(data, output),
        SampleFormat::F64 => read_as::<f64>(data, output),
        SampleFormat::I8 => read_as::<i8>(data, output),
        SampleFormat::I16 => read_as::<i16>(data, output),
        SampleFormat::I24 => read_as::<I24>(data, output),
        SampleFormat::I32 => read_as::<i32>(data, output),
        SampleFormat::I64 => read_as::<i64>(data, output),
        SampleFormat::U8 => read_as::<u8>(data, output),
        SampleFormat::U16 => read_as::<u16>(data, output),
        SampleFormat::U24 => read_as::<U24>(data, output),
        SampleFormat::U32 => read_as::<u32>(data, output),
        SampleFormat::U64 => read_as::<u64>(data, output),
        _ => {}
    }
}

fn read_as<T: SizedSample>(data: &Data, output: &mut Vec<f32>)
where
    f32: FromSample<T>,
{
    if let Some(samples) = data.as_slice::<T>() {
        output.extend(samples.iter().map(|sample| f32::from_sample(*sample)));
    }
}

/// Fills the device's buffer, the same mono sample for every channel.
pub(super) fn write(data: &mut Data, channels: usize, mut next: impl FnMut() -> f32) {
    match data.sample_format() {
        SampleFormat::F32 => write_as::<f32>(data, channels, &mut next),
        SampleFormat::F64 => write_as::<f64>(data, channels, &mut next),
        SampleFormat::I8 => write_as::<i8>(data, channels, &mut next),
        SampleFormat::I16 => write_as::<i16>(data, channels, &mut next),
        SampleFormat::I24 => write_as::<I24>(data, channels, &mut next),
        SampleFormat::I32 => write_as::<i32>(data, channels, &mut next),
        SampleFormat::I64 => write_as::<i64>(data, channels, &mut next),
        SampleFormat::U8 => write_as::<u8>(data, channels, &mut next),
        SampleFormat::U16 => write_as::<u16>(data, channels, &mut next),
        SampleFormat::U24 => write_as::<U24>(data, channels, &mut next),
        SampleFormat::U32 => write_as::<u32>(data, channels, &mut next),
        SampleFormat::U64 => write_as::<u64>(data, channels, &mut next),
        _ => {}
    }
}

fn write_as<T: SizedSample + FromSample<f32>>(
    data: &mut Data,
    channels: usize,
    next: &mut impl FnMut() -> f32,
) {
    if let Some(samples) = data.as_slice_mut::<T>() {
        for frame in samples.chunks_mut(channels) {
            frame.fill(T::from_sample(next().clamp(-1.0, 1.0)));
        }
    }
}
