//! Builds one module and drives it the way a rack does.
#![allow(dead_code)] // Each test program uses its part.

use headroom_engine::memory::{ArenaBox, Carver, Region};
use headroom_engine::{Catalog, Memory, Module, Setup, Stream};

/// A module of the built-in `kind` with these values, the rest at their defaults.
pub(crate) fn build(kind: &str, stream: Stream, values: &[(&str, f32)]) -> ArenaBox<dyn Module> {
    let catalog = Catalog::builtin();
    let kind = catalog.find(kind).expect("a built-in kind");
    let mut all = kind.defaults();
    for (id, value) in values {
        let index = kind.param_index(id).expect("a parameter of the kind");
        assert!(kind.params[index].accepts(*value), "{id} = {value}");
        all[index] = *value;
    }
    let mut measure = Carver::measuring();
    drop((kind.build)(&mut Setup::new(stream, &all, &mut measure)));
    let region = Region::map(measure.bytes(), &Memory::default()).expect("memory");
    let mut carver = Carver::carving(region);
    (kind.build)(&mut Setup::new(stream, &all, &mut carver))
}
