//! The screen under test: a rack that does not exist, behind a real segment, and a renderer that draws
//! without a graphics card.

pub mod curves;
pub mod engine;
pub mod kinds;
pub mod music;
pub mod rack;
pub mod shipped;
pub mod software;
pub mod stage;
pub mod thread;
