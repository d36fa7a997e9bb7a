//! Headroom's screen: draws any rack from its board, and sends what is done at it as commands.
//!
//! Everything but `window` and `link` is a function of plain data: [`model::Picture`] in,
//! [`hands::Hands`] out.

pub mod controls;
mod draw;
pub mod foreign;
pub mod hands;
mod icon;
pub mod levels;
pub mod link;
pub mod model;
pub mod pace;
pub mod paint;
pub mod range;
pub mod sound;
pub mod spectrum;
pub mod text;
pub mod theme;
pub mod view;
pub mod window;
