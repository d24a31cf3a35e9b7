//! Of PolyBench (https://sourceforge.net/projects/polybench/): gemm, lu and floyd-warshall, on square matrices by rows.

use super::{Random, digest, digest_floats};

/// C = 1.5 A B + 1.2 C.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn gemm(n: usize) -> u64 {
    let mut random = Random::new();
    let [a, b, mut c] = [0; 3].map(|_| matrix(n, &mut random));
    for (row, out) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
        for x in out.iter_mut() {
            *x *= 1.2;
        }
        for (factor, line) in row.iter().zip(b.chunks_exact(n)) {
            let factor = 1.5 * factor;
            for (x, y) in out.iter_mut().zip(line) {
                *x += factor * y;
            }
        }
    }
    digest_floats(&c)
}

/// A = L U in place, without pivots: the diagonal outweighs its row.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn lu(n: usize) -> u64 {
    let mut a = matrix(n, &mut Random::new());
    for i in 0..n {
        a[i * n + i] += n as f64;
    }
    for i in 1..n {
        let (above, below) = a.split_at_mut(i * n);
        let row = &mut below[..n];
        for (k, line) in above.chunks_exact(n).enumerate() {
            let factor = row[k] / line[k];
            row[k] = factor;
            for (x, y) in row[k + 1..].iter_mut().zip(&line[k + 1..]) {
                *x -= factor * y;
            }
        }
    }
    digest_floats(&a)
}

fn matrix(n: usize, random: &mut Random) -> Vec<f64> {
    (0..n * n).map(|_| random.unit()).collect()
}

/// The lengths of the shortest paths between all pairs of nodes of a graph.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn floyd_warshall(n: usize) -> u64 {
    let mut random = Random::new();
    let mut paths: Vec<i32> = (0..n * n).map(|_| 1 + random.below(1000) as i32).collect();
    for k in 0..n {
        let through = paths[k * n..][..n].to_vec();
        for row in paths.chunks_exact_mut(n) {
            let first = row[k];
            for (path, second) in row.iter_mut().zip(&through) {
                *path = (*path).min(first + second);
            }
        }
    }
    digest(paths.iter().map(|&path| path as u64))
}
