//! The Headroom engine.
