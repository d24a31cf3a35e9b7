//! nussinov of PolyBench, and the sort of the standard library.

use super::{Random, digest};

/// How many bases of a strand of RNA pair at most, when it folds without knots.
pub fn nussinov(n: usize) -> u64 {
    let mut random = Random::new();
    let bases: Vec<u8> = (0..n).map(|_| random.below(4) as u8).collect();
    let mut pairs = vec![0u32; n * n];
    for i in (0..n).rev() {
        for j in i + 1..n {
            let mut most = pairs[i * n + j - 1].max(pairs[(i + 1) * n + j]);
            if i + 1 < j {
                let pair = u32::from(bases[i] + bases[j] == 3);
                most = most.max(pairs[(i + 1) * n + j - 1] + pair);
            }
            for k in i + 1..j {
                most = most.max(pairs[i * n + k] + pairs[(k + 1) * n + j]);
            }
            pairs[i * n + j] = most;
        }
    }
    u64::from(pairs[n - 1])
}

/// Sorts numbers.
pub fn sort(n: usize) -> u64 {
    let mut random = Random::new();
    let mut numbers: Vec<u64> = (0..n).map(|_| random.next()).collect();
    numbers.sort_unstable();
    digest(numbers)
}
