//! Which kinds of modules a plugin has in its strip.

use headroom_engine::Catalog;

/// One such plugin; tests make another, with modules that misbehave.
pub trait Edition: Send + 'static {
    /// `[main]` The kinds of modules of its strip.
    fn catalog() -> Catalog;
}

/// What ships: all kinds that are built in.
#[derive(Debug)]
pub enum BuiltIn {}

impl Edition for BuiltIn {
    fn catalog() -> Catalog {
        Catalog::builtin()
    }
}
