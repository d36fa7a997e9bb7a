//! What is measured: each module of the catalogue by itself, each factory preset whole.

use headroom_engine::{Catalog, Kind, ModuleSpec, RackSpec, Scale, preset};

/// One thing to measure.
#[derive(Debug, Clone)]
pub struct Subject {
    /// A module's kind, or `preset-` and a preset's name.
    pub name: String,
    /// The rack that is run.
    pub spec: RackSpec,
}

/// Why a list of subjects could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// A factory preset does not parse.
    #[error(transparent)]
    Preset(#[from] preset::PresetError),
    /// No subject has that name.
    #[error("no module or preset `{name}`: there are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

impl Subject {
    /// `[main]` Every module of the built-in catalogue, then every factory preset.
    ///
    /// # Errors
    /// [`SubjectError::Preset`] if a factory preset does not parse.
    pub fn all() -> Result<Vec<Subject>, SubjectError> {
        let catalog = Catalog::builtin();
        let mut subjects: Vec<_> = catalog
            .kinds()
            .iter()
            .copied()
            .map(Subject::module)
            .collect();
        for factory in preset::factory() {
            subjects.push(Subject {
                name: format!("preset-{}", factory.name),
                spec: preset::parse(factory.text, factory.name, &catalog)?,
            });
        }
        Ok(subjects)
    }

    /// `[main]` The subject of that name.
    ///
    /// # Errors
    /// [`SubjectError::Unknown`] with the names there are, or a preset's own error.
    pub fn named(name: &str) -> Result<Subject, SubjectError> {
        let all = Subject::all()?;
        let known: Vec<&str> = all.iter().map(|subject| subject.name.as_str()).collect();
        let known = known.join(", ");
        let found = all.into_iter().find(|subject| subject.name == name);
        found.ok_or_else(|| SubjectError::Unknown {
            name: name.to_owned(),
            known,
        })
    }

    /// A rack of one module, its settings such that it has to work: see [`working`].
    fn module(kind: &'static Kind) -> Subject {
        Subject {
            name: kind.id.to_owned(),
            spec: RackSpec {
                name: kind.name.to_owned(),
                modules: vec![ModuleSpec {
                    kind,
                    id: kind.id.to_owned(),
                    bypass: false,
                    mix: 1.0,
                    values: working(kind),
                }],
                ..RackSpec::default()
            },
        }
    }
}

/// Parameter values away from neutral, so that a module that skips idle work gets no credit for it:
/// every number stands a quarter of the way from its default to its maximum (in even steps of its
/// own scale), every switch is on, choices stay.
fn working(kind: &Kind) -> Vec<f32> {
    let value = |param: &headroom_engine::Param| match param.scale {
        Scale::Switch => 1.0,
        Scale::Choice(_) => param.default,
        _ if param.structural => param.default,
        _ => {
            let at = param.normalize(param.default);
            param.denormalize(at + 0.25 * (1.0 - at))
        }
    };
    kind.params.iter().map(value).collect()
}
