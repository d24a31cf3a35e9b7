//! The n-body problem of https://benchmarksgame-team.pages.debian.net/benchmarksgame/: the Sun and four planets, whose units are
//! astronomical units, days and solar masses.

use std::f64::consts::PI;

const DAYS: f64 = 365.24; // in a year
const SUN: f64 = 4.0 * PI * PI;

struct Body {
    at: [f64; 3],
    speed: [f64; 3],
    mass: f64,
}

/// Moves the bodies by that many steps and gives the bits of the energy that the system has then.
pub fn n_body(steps: usize) -> u64 {
    let mut bodies = bodies();
    for _ in 0..steps {
        advance(&mut bodies, 0.01);
    }
    energy(&bodies).to_bits()
}

/// The bodies, with the speed of the Sun such that their centre stays where it is.
fn bodies() -> [Body; 5] {
    let mut bodies = [
        Body {
            at: [0.0; 3],
            speed: [0.0; 3],
            mass: SUN,
        },
        planet(
            [
                4.84143144246472090e+00,
                -1.16032004402742839e+00,
                -1.03622044471123109e-01,
            ],
            [
                1.66007664274403694e-03,
                7.69901118419740425e-03,
                -6.90460016972063023e-05,
            ],
            9.54791938424326609e-04,
        ),
        planet(
            [
                8.34336671824457987e+00,
                4.12479856412430479e+00,
                -4.03523417114321381e-01,
            ],
            [
                -2.76742510726411021e-03,
                4.99852801234917238e-03,
                2.30417297573763929e-05,
            ],
            2.85885980666130812e-04,
        ),
        planet(
            [
                1.28943695621391310e+01,
                -1.51111514016986312e+01,
                -2.23307578892655734e-01,
            ],
            [
                2.96460137564761618e-03,
                2.37847173959480950e-03,
                -2.96589568540237556e-05,
            ],
            4.36624404335156298e-05,
        ),
        planet(
            [
                1.53796971148509165e+01,
                -2.59193146099879641e+01,
                1.79258772950371181e-01,
            ],
            [
                2.68067772490389322e-03,
                1.62824170038242295e-03,
                -9.51592254519715870e-05,
            ],
            5.15138902046611451e-05,
        ),
    ];
    let momentum: [f64; 3] = std::array::from_fn(|axis| bodies.iter().map(|b| b.speed[axis] * b.mass).sum());
    bodies[0].speed = momentum.map(|p| -p / SUN);
    bodies
}

/// A planet, whose speed is given for a day and whose mass as a part of the Sun's.
fn planet(at: [f64; 3], speed: [f64; 3], mass: f64) -> Body {
    Body {
        at,
        speed: speed.map(|v| v * DAYS),
        mass: mass * SUN,
    }
}

fn advance(bodies: &mut [Body; 5], time: f64) {
    for i in 0..bodies.len() {
        let (left, right) = bodies.split_at_mut(i + 1);
        let one = &mut left[i];
        for other in right {
            let apart: [f64; 3] = std::array::from_fn(|axis| one.at[axis] - other.at[axis]);
            let square = dot(&apart, &apart);
            let pull = time / (square * square.sqrt());
            for axis in 0..3 {
                one.speed[axis] -= apart[axis] * other.mass * pull;
                other.speed[axis] += apart[axis] * one.mass * pull;
            }
        }
    }
    for body in bodies {
        for axis in 0..3 {
            body.at[axis] += time * body.speed[axis];
        }
    }
}

fn energy(bodies: &[Body; 5]) -> f64 {
    let mut energy = 0.0;
    for (i, one) in bodies.iter().enumerate() {
        energy += 0.5 * one.mass * dot(&one.speed, &one.speed);
        for other in &bodies[i + 1..] {
            let apart: [f64; 3] = std::array::from_fn(|axis| one.at[axis] - other.at[axis]);
            energy -= one.mass * other.mass / dot(&apart, &apart).sqrt();
        }
    }
    energy
}

fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
