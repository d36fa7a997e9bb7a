//! `headroom modules`: what a rack can be made of.

use std::fmt::Write as _;

use headroom_engine::{Catalog, Kind, Param};
use serde::Serialize;

use crate::cli::ListArgs;
use crate::error::HostError;
use crate::{report, table};

/// One module, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Module {
    kind: &'static str,
    name: &'static str,
    about: &'static str,
    params: Vec<Parameter>,
}

/// One parameter of a module.
#[derive(Debug, Serialize)]
struct Parameter {
    id: &'static str,
    name: &'static str,
    unit: &'static str,
    min: f32,
    max: f32,
    default: f32,
    /// The words of a choice, in the order of their values from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'static [&'static str]>,
    /// Changing it rebuilds the module: it cannot be automated.
    structural: bool,
}

/// `[main]` Prints the modules.
///
/// # Errors
/// Standard output is closed or full.
pub fn run(args: &ListArgs) -> Result<(), HostError> {
    let catalog = Catalog::builtin();
    if args.json {
        let modules: Vec<Module> = catalog.kinds().iter().map(|kind| describe(kind)).collect();
        return report::print_json(&modules, false);
    }
    let mut text = String::new();
    for kind in catalog.kinds() {
        // PANIC: writing into a String cannot fail.
        writeln!(text, "{} - {}: {}", kind.id, kind.name, kind.about).unwrap();
        let rows: Vec<[String; 4]> = kind.params.iter().map(row).collect();
        for line in table::columns(&rows).lines() {
            // PANIC: as above.
            writeln!(text, "    {line}").unwrap();
        }
        text.push('\n');
    }
    report::print(text.trim_end_matches('\n'), false)?;
    report::print("\n", false)
}

fn describe(kind: &Kind) -> Module {
    let params = kind.params.iter().map(|param| Parameter {
        id: param.id,
        name: param.name,
        unit: param.unit.symbol(),
        min: param.min,
        max: param.max,
        default: param.default,
        labels: param.labels(),
        structural: param.structural,
    });
    Module {
        kind: kind.id,
        name: kind.name,
        about: kind.about,
        params: params.collect(),
    }
}

fn row(param: &Param) -> [String; 4] {
    let range = match param.labels() {
        Some(labels) => labels.join(", "),
        None => format!("{} to {}", param.format(param.min), param.format(param.max)),
    };
    let default = param.format(param.default);
    [
        param.id.to_owned(),
        param.name.to_owned(),
        format!("[{default}]"),
        range,
    ]
}
