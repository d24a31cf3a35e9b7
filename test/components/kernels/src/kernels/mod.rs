//! The kernels. Plain Rust, without WebAssembly, but for one thing: what compilers vectorise says that it may use the
//! 128-bit vectors of WebAssembly (simd128), which are off by default, as those of x86-64 and arm64 are on.
//!
//! A kernel makes its input from a fixed seed, so that equal sizes give equal digests.

mod bits;
mod matrices;
mod particles;
mod sequences;
mod stencils;
mod text;

/// Runs a kernel on a problem of that size and returns a digest of what it computed, if there is such a kernel.
pub fn run(kernel: &str, size: usize) -> Option<u64> {
    Some(match kernel {
        "gemm" => matrices::gemm(size),
        "lu" => matrices::lu(size),
        "floyd-warshall" => matrices::floyd_warshall(size),
        "jacobi-2d" => stencils::jacobi(size),
        "seidel-2d" => stencils::seidel(size),
        "nussinov" => sequences::nussinov(size),
        "sort" => sequences::sort(size),
        "n-body" => particles::n_body(size),
        "mandelbrot" => bits::mandelbrot(size),
        "sha-256" => bits::sha256(size),
        "json" => text::json(size),
        "words" => text::words(size),
        _ => return None,
    })
}

/// Pseudorandom numbers: SplitMix64, https://prng.di.unimi.it/splitmix64.c.
struct Random(u64);

impl Random {
    fn new() -> Self {
        Random(42)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below n.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// A number from 0 to 1, without 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A digest of numbers in their order: FNV-1a over words.
fn digest(words: impl IntoIterator<Item = u64>) -> u64 {
    words.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ word).wrapping_mul(0x100_0000_01b3)
    })
}

/// A digest of the exact bits of floating-point numbers.
fn digest_floats(numbers: &[f64]) -> u64 {
    digest(numbers.iter().map(|number| number.to_bits()))
}
