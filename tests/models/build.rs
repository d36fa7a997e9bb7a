//! Takes the lock-free parts from where they stand, as they stand, and writes each of them, and each of its
//! mutants, into a file of its own, with the model checker's atomics in place of the processor's.

use std::path::Path;
use std::{env, fs};

/// One part: its name here, its file, and its mutants: name, what stands in the file, what is put in its place.
type Part = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, &'static str)],
);

/// The first mutant of each is none: what is shipped.
const PARTS: &[Part] = &[
    (
        "peak_cell",
        "engine/src/meter/peak_cell.rs",
        &[
            ("as_shipped", "", ""),
            (
                "take_in_two_steps",
                "f32::from_bits(self.0.swap(0, Relaxed))",
                "{ let bits = self.0.load(Relaxed); self.0.store(0, Relaxed); f32::from_bits(bits) }",
            ),
            (
                "raise_without_looking",
                "if bits > self.0.load(Relaxed) {",
                "{",
            ),
        ],
    ),
    (
        "button",
        "engine/src/panic/button.rs",
        &[
            ("as_shipped", "", ""),
            (
                "change_in_two_steps",
                "let _as_asked = self.changes.fetch_update(Relaxed, Relaxed, change);",
                "if let Some(to) = change(self.changes.load(Relaxed)) { self.changes.store(to, Relaxed); }",
            ),
            (
                "count_what_changes_nothing",
                "(is_pressed(changes) != pressed).then_some(changes.wrapping_add(1))",
                "{ let _ = pressed; Some(u32::wrapping_add(changes, 1)) }",
            ),
        ],
    ),
    (
        "note_cell",
        "engine/src/realtime/note_cell.rs",
        &[
            ("as_shipped", "", ""),
            ("no_fence_behind_the_odd_number", "fence(Release);", ""),
            ("no_fence_before_the_second_look", "fence(Acquire);", ""),
            (
                "number_without_release",
                "self.sequence.store(sequence + 1, Release);",
                "self.sequence.store(sequence + 1, Relaxed);",
            ),
            (
                "first_look_without_acquire",
                "self.sequence.load(Acquire)",
                "self.sequence.load(Relaxed)",
            ),
            (
                "no_second_look",
                " && self.sequence.load(Relaxed) == sequence",
                "",
            ),
            (
                "the_same_number_for_every_note",
                "self.sequence.store(sequence + 1, Release);",
                "let _ = sequence; self.sequence.store(2, Release);",
            ),
        ],
    ),
    (
        "first",
        "engine/src/realtime/first.rs",
        &[
            ("as_shipped", "", ""),
            (
                "two_may_be_first",
                "self.taken.swap(true, Ordering::Relaxed)",
                "{ self.taken.store(true, Ordering::Relaxed); false }",
            ),
            (
                "ready_without_release",
                "self.ready.store(true, Ordering::Release);",
                "self.ready.store(true, Ordering::Relaxed);",
            ),
            (
                "ready_before_it_is_written",
                "fill(&self.addresses);",
                "self.ready.store(true, Ordering::Release); fill(&self.addresses);",
            ),
            (
                "read_without_acquire",
                "self.ready.swap(false, Ordering::Acquire)",
                "self.ready.swap(false, Ordering::Relaxed)",
            ),
            (
                "read_twice",
                "self.ready.swap(false, Ordering::Acquire)",
                "self.ready.load(Ordering::Acquire)",
            ),
        ],
    ),
    (
        "lease",
        "host/src/play/lease.rs",
        &[
            ("as_shipped", "", ""),
            (
                "revoke_leaves_the_place",
                "self.place = Arc::new(AtomicCell::new(None));\n        work",
                "work",
            ),
            (
                "a_call_does_not_put_back",
                "drop(self.place.swap(Some(work)));\n        }",
                "drop(work);\n        }",
            ),
            (
                "revoke_leaves_before_it_takes",
                "match self.place.take() {",
                "match std::mem::replace(&mut self.place, Arc::new(AtomicCell::new(None))).take() {",
            ),
        ],
    ),
    (
        "parking",
        "host/src/midi/parking.rs",
        &[
            ("as_shipped", "", ""),
            (
                "closed_behind_the_look",
                "self.open.swap(false, AcqRel);",
                "struct Late<'a>(&'a AtomicBool);
                 impl Drop for Late<'_> { fn drop(&mut self) { self.0.swap(false, AcqRel); } }
                 let _late = Late(&self.open);",
            ),
            (
                "bit_before_the_value",
                "self.values[cell].store(value, Relaxed);",
                "struct Late<'a>(&'a AtomicU8, u8);
                 impl Drop for Late<'_> { fn drop(&mut self) { self.0.store(self.1, Relaxed); } }
                 let _late = Late(&self.values[cell], value);",
            ),
            (
                "bit_without_release",
                "fetch_or(bit, Release)",
                "fetch_or(bit, Relaxed)",
            ),
            (
                "bits_without_acquire",
                "taken.swap(0, Acquire)",
                "taken.swap(0, Relaxed)",
            ),
            ("never_opened", "self.open.swap(true, Release);", ""),
        ],
    ),
];

fn main() {
    println!("cargo::rustc-check-cfg=cfg(loom)");
    println!("cargo::rerun-if-changed=build.rs");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = env::var_os("OUT_DIR").expect("cargo gives a folder");
    for (part, file, mutants) in PARTS {
        println!("cargo::rerun-if-changed=../../{file}");
        let text = fs::read_to_string(root.join(file)).expect("the part is there");
        let mut all = String::new();
        for (mutant, from, to) in *mutants {
            assert!(
                text.contains(from),
                "{file} has changed: the mutant `{mutant}` finds no `{from}`"
            );
            let text = if from.is_empty() {
                text.clone()
            } else {
                text.replacen(from, to, 1)
            };
            all += &format!(
                "pub(crate) mod {mutant} {{\n{}\nsuper::model!();\n}}\n",
                fit(&text, part)
            );
        }
        fs::write(Path::new(&out).join(format!("{part}.rs")), all).expect("the folder takes it");
    }
}

/// Without its tests and its head; loom's atomics cannot be made while compiling, and a model has a few cells
/// where the program has thousands.
fn fit(text: &str, part: &str) -> String {
    // See `coherent` in src/lib.rs.
    let atomics = if ["peak_cell", "button"].contains(&part) {
        "crate::coherent"
    } else {
        "crate::sync"
    };
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with("//!"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("crate::sync", atomics)
        .replace("const fn new", "fn new")
        .replace(
            "[const { AtomicUsize::new(0) }; N]",
            "std::array::from_fn(|_| AtomicUsize::new(0))",
        )
        .replace("const CELLS: usize = 16 * 128;", "const CELLS: usize = 64;")
}
