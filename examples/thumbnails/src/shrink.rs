//! Images into boxes. Whoever sends an image may mean harm: what it takes is bounded before anything is decoded.

use std::io::Cursor;

use image::imageops::FilterType;
use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits};

/// Bytes that a decoded image and what decoding needs may take: the function has 64 MiB.
const MEMORY: u64 = 40 << 20;

/// A reader of an image that stays within the bounds.
pub fn reader(data: &[u8]) -> Result<ImageReader<Cursor<&[u8]>>, ImageError> {
    let mut reader = ImageReader::new(Cursor::new(data)).with_guessed_format().map_err(ImageError::IoError)?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    Ok(reader)
}

/// The image, no larger than the box. An image that fits stays as it is.
pub fn contain(image: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    if image.width() <= width && image.height() <= height {
        return image.clone();
    }
    image.resize(width, height, FilterType::Triangle)
}

/// The middle of the image, in the shape of the box and no larger than it.
pub fn cover(image: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    let (from_width, from_height) = (u64::from(image.width()), u64::from(image.height()));
    let (width, height) = (u64::from(width), u64::from(height));
    // The largest part of the image that has the shape of the box: as wide or as high as the image is.
    let part_width = (from_height * width / height).clamp(1, from_width);
    let part_height = (from_width * height / width).clamp(1, from_height);
    let part = image.crop_imm(
        ((from_width - part_width) / 2) as u32,
        ((from_height - part_height) / 2) as u32,
        part_width as u32,
        part_height as u32,
    );
    contain(&part, width as u32, height as u32)
}

/// The bytes of an image. JPEG has no transparency, so that goes.
pub fn encode(image: &DynamicImage, format: ImageFormat) -> Result<Vec<u8>, ImageError> {
    let mut data = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => DynamicImage::from(image.to_rgb8()).write_to(&mut data, format)?,
        _ => image.write_to(&mut data, format)?,
    }
    Ok(data.into_inner())
}
