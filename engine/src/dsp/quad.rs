//! Four lanes of f32, in plain arrays that compile to vector instructions.
//!
//! Each lane's result is that of the same scalar operations, on any machine: nothing is fused or
//! reordered.

use std::ops::{Add, Mul, Sub};

/// Four lanes.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
pub struct Quad([f32; 4]);

/// Which lanes of a [`Quad`] are meant: all bits set or none.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
pub struct Mask([i32; 4]);

impl Quad {
    /// `[any]` These four lanes.
    #[inline(always)]
    pub const fn new(lanes: [f32; 4]) -> Self {
        Self(lanes)
    }

    /// `[any]` The same value in all lanes.
    #[inline(always)]
    pub const fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    /// `[any]` The four lanes.
    #[inline(always)]
    pub const fn lanes(self) -> [f32; 4] {
        self.0
    }

    /// `[any]` One over each lane.
    #[inline(always)]
    pub fn recip(self) -> Self {
        each(|i| 1.0 / self.0[i])
    }

    /// `[any]` The last lane of `before`, then the first three of `self`.
    #[inline(always)]
    pub fn shifted_by_one(self, before: Self) -> Self {
        let (a, b) = (before.0, self.0);
        Self([a[3], b[0], b[1], b[2]])
    }

    /// `[any]` The last two lanes of `before`, then the first two of `self`.
    #[inline(always)]
    pub fn shifted_by_two(self, before: Self) -> Self {
        let (a, b) = (before.0, self.0);
        Self([a[2], a[3], b[0], b[1]])
    }

    /// `[any]` `self` in the lanes of `mask`, `other` in the rest.
    #[inline(always)]
    pub fn select(self, mask: Mask, other: Self) -> Self {
        each(|i| {
            let mask = mask.0[i] as u32;
            f32::from_bits((self.0[i].to_bits() & mask) | (other.0[i].to_bits() & !mask))
        })
    }
}

impl Mask {
    /// `[any]` The lanes whose `value` is at least `first` and at most `last`; all within ±2^30.
    #[inline(always)]
    pub fn between(value: [i32; 4], first: i32, last: i32) -> Self {
        // The sign bit, spread out: without a branch, and in two vector instructions.
        let lane = |i: usize| !(((value[i] - first) | (last - value[i])) >> 31);
        Self([lane(0), lane(1), lane(2), lane(3)])
    }
}

#[inline(always)]
fn each(f: impl Fn(usize) -> f32) -> Quad {
    Quad([f(0), f(1), f(2), f(3)])
}

impl Add for Quad {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        each(|i| self.0[i] + other.0[i])
    }
}

impl Sub for Quad {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        each(|i| self.0[i] - other.0[i])
    }
}

impl Mul for Quad {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        each(|i| self.0[i] * other.0[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_chooses_the_lanes_between_its_bounds() {
        let (yes, no) = (Quad::new([1.0, 2.0, 3.0, 4.0]), Quad::splat(-1.0));
        let chosen = |first, last| {
            let mask = Mask::between([0, 1, 2, 3], first, last);
            yes.select(mask, no).lanes()
        };
        assert_eq!(chosen(0, 3), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(chosen(-5, 1), [1.0, 2.0, -1.0, -1.0]);
        assert_eq!(chosen(2, 2), [-1.0, -1.0, 3.0, -1.0]);
        assert_eq!(chosen(4, 9), [-1.0; 4]);
    }

    #[test]
    fn shifts_bring_in_the_end_of_the_lanes_before() {
        let (before, now) = (
            Quad::new([1.0, 2.0, 3.0, 4.0]),
            Quad::new([5.0, 6.0, 7.0, 8.0]),
        );
        assert_eq!(now.shifted_by_one(before).lanes(), [4.0, 5.0, 6.0, 7.0]);
        assert_eq!(now.shifted_by_two(before).lanes(), [3.0, 4.0, 5.0, 6.0]);
    }
}
