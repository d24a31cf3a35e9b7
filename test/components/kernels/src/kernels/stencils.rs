//! Of PolyBench: jacobi-2d and seidel-2d, on square grids by rows whose border stays.

use super::{Random, digest_floats};

const STEPS: usize = 20;

/// Each point becomes the mean of itself and its four neighbours, all at once.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn jacobi(n: usize) -> u64 {
    let mut from = grid(n);
    let mut to = from.clone();
    for _ in 0..2 * STEPS {
        for i in 1..n - 1 {
            let [above, row, below] = [i - 1, i, i + 1].map(|i| &from[i * n..][..n]);
            let out = &mut to[i * n..][..n];
            for j in 1..n - 1 {
                out[j] = 0.2 * (row[j] + row[j - 1] + row[j + 1] + below[j] + above[j]);
            }
        }
        std::mem::swap(&mut from, &mut to);
    }
    digest_floats(&from)
}

/// Each point becomes the mean of itself and its eight neighbours, one after the other.
pub fn seidel(n: usize) -> u64 {
    let mut points = grid(n);
    for _ in 0..STEPS {
        for i in 1..n - 1 {
            let (above, rest) = points[(i - 1) * n..][..3 * n].split_at_mut(n);
            let (row, below) = rest.split_at_mut(n);
            for j in 1..n - 1 {
                row[j] = (above[j - 1]
                    + above[j]
                    + above[j + 1]
                    + row[j - 1]
                    + row[j]
                    + row[j + 1]
                    + below[j - 1]
                    + below[j]
                    + below[j + 1])
                    / 9.0;
            }
        }
    }
    digest_floats(&points)
}

fn grid(n: usize) -> Vec<f64> {
    let mut random = Random::new();
    (0..n * n).map(|_| random.unit()).collect()
}
