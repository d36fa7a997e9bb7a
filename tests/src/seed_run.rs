//! The part that both seed programs share.

use headroom_engine::{Catalog, ModuleSpec};
use headroom_tests::rig::{Rig, module, rack};
use headroom_tests::{seeds, signal};

/// Arms the seed named on the command line for one block and plays on.
pub(crate) fn run() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let catalog = [
        &seeds::PANICS_WHEN_SET,
        &seeds::PANICS_WHEN_MOVED,
        &seeds::ALLOCATES,
        &seeds::FREES,
        &seeds::PANICS,
        &seeds::NAN,
    ]
    .into_iter()
    .fold(Catalog::builtin(), Catalog::with);
    let kind = catalog.find(&wanted).expect("a seed's name");
    let mut rig = Rig::stereo(&rack([
        ModuleSpec::new(kind),
        module("gain").with_id("after"),
    ]));
    let block = |rig: &mut Rig| {
        let mut sound = vec![signal::noise(1, 0.5, 64), signal::noise(2, 0.5, 64)];
        rig.play(&mut sound);
        sound
    };

    block(&mut rig);
    if kind.param_index("armed").is_some() {
        rig.controller
            .set_param(&wanted, "armed", 1.0)
            .expect("it can be armed");
        if wanted == seeds::PANICS_WHEN_MOVED.id {
            rig.controller.move_to(&wanted, 1).expect("it can be moved");
        }
        let faulty = block(&mut rig);
        let finite = faulty.iter().flatten().all(|sample| sample.is_finite());
        rig.controller
            .set_param(&wanted, "armed", 0.0)
            .expect("it can be disarmed");
        println!("finite={finite}");
    }
    let after = block(&mut rig);
    let sound = after.iter().flatten().all(|sample| *sample != 0.0);
    let health = rig.controller.health();
    println!(
        "allocations={} deallocations={} panics={} muted={} sound={sound}",
        health.allocations, health.deallocations, health.panics, health.muted_chunks
    );
    for report in rig.controller.reports() {
        println!("{report}");
        if let headroom_engine::Report::Violation(violation) = report {
            for function in violation.backtrace {
                println!("  {function}");
            }
        }
    }
}
