//! The component: what demo:thumbnails/thumbnails exports, on top of [shrink] and the crate image.

mod shrink;

use exports::demo::thumbnails::thumbnails::{Fit, Format, Guest, Info, Problem, Thumbnail};
use image::{ImageError, ImageFormat};

wit_bindgen::generate!({ path: "wit" });

/// Pixels that a side of a thumbnail may have.
const SIDE: u32 = 1024;

struct Thumbnails;

impl Guest for Thumbnails {
    fn inspect(image: Vec<u8>) -> Result<Info, Problem> {
        let reader = shrink::reader(&image)?;
        let format = known(reader.format())?;
        let (width, height) = reader.into_dimensions()?;
        Ok(Info { format, width, height })
    }

    fn shrink(
        image: Vec<u8>,
        (width, height): (u32, u32),
        fit: Fit,
        format: Option<Format>,
    ) -> Result<Thumbnail, Problem> {
        if !(1..=SIDE).contains(&width) || !(1..=SIDE).contains(&height) {
            return Err(Problem::OutOfRange(format!("box: {width} by {height}, must be 1 by 1 to {SIDE} by {SIDE}")));
        }
        let reader = shrink::reader(&image)?;
        let format = format.unwrap_or(known(reader.format())?);
        let decoded = reader.decode()?;
        let small = match fit {
            Fit::Contain => shrink::contain(&decoded, width, height),
            Fit::Cover => shrink::cover(&decoded, width, height),
        };
        let data = shrink::encode(&small, format.into())?;
        Ok(Thumbnail { info: Info { format, width: small.width(), height: small.height() }, data })
    }
}

/// The format, if this function has it.
fn known(format: Option<ImageFormat>) -> Result<Format, Problem> {
    match format {
        Some(ImageFormat::Jpeg) => Ok(Format::Jpeg),
        Some(ImageFormat::Png) => Ok(Format::Png),
        Some(other) => Err(Problem::Unimplemented(format!("{other:?}"))),
        None => Err(Problem::InvalidArgument("the bytes are no image".into())),
    }
}

impl From<Format> for ImageFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Png => ImageFormat::Png,
        }
    }
}

impl From<ImageError> for Problem {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Problem::OutOfRange(error.to_string()),
            ImageError::Unsupported(_) => Problem::Unimplemented(error.to_string()),
            _ => Problem::InvalidArgument(error.to_string()),
        }
    }
}

export!(Thumbnails);
