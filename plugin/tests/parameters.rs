//! Host parameters: what hosts keep of them is frozen.

mod host;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use headroom_engine::{Catalog, Scale};
use headroom_plugin::{Row, rows};

const FROZEN: &str = include_str!("data/parameters.txt");

/// How nice-plug makes a number of an id, for CLAP and VST3 alike.
fn number_of(id: &str) -> u32 {
    let hash = |hash: u32, byte: u8| hash.wrapping_mul(31).wrapping_add(u32::from(byte));
    id.bytes().fold(0, hash) & !(1 << 31)
}

/// All that a host's automation depends on.
fn line(row: &Row) -> String {
    let table = row.table;
    let walk = match table.scale {
        Scale::Choice(labels) => format!("choice {}", labels.join(" | ")),
        Scale::Switch => "switch".to_owned(),
        Scale::Linear if row.id.ends_with(".place") => "whole".to_owned(),
        Scale::Linear => "linear".to_owned(),
        Scale::Log => "log".to_owned(),
    };
    let mut line = format!(
        "{} {} {}..{} default {} {walk}",
        row.id,
        number_of(&row.id),
        table.min,
        table.max,
        table.default
    );
    if table.structural {
        let _ = write!(line, " structural");
    }
    line
}

#[test]
fn what_hosts_keep_of_parameters_stays_as_it_was() {
    let now: Vec<String> = rows(&Catalog::builtin()).iter().map(line).collect();
    let frozen: Vec<&str> = FROZEN
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert!(
        frozen.len() > 80,
        "{} lines are frozen, of:\n{}",
        frozen.len(),
        now.join("\n")
    );
    for line in frozen {
        assert!(
            now.iter().any(|now| now == line),
            "frozen: `{line}`\nnow:\n{}",
            now.join("\n")
        );
    }
}

#[test]
fn no_two_parameters_have_one_number() {
    let mut known = BTreeMap::new();
    for row in rows(&Catalog::builtin()) {
        let before = known.insert(number_of(&row.id), row.id.clone());
        assert_eq!(before, None, "the same number as `{}`", row.id);
    }
}

#[test]
fn a_host_sees_every_row_with_its_range_default_and_group() {
    let entry = host::load();
    let mut instance = host::Instance::new(&entry);
    let rows = rows(&Catalog::builtin());
    let list = instance.list();
    assert_eq!(list.len(), rows.len());
    for (row, (id, name, min, max)) in rows.iter().zip(list) {
        assert_eq!(id.get(), number_of(&row.id), "{}", row.id);
        assert_eq!(name, row.name);
        assert_eq!(min, 0.0);
        let steps = match row.table.scale {
            Scale::Choice(labels) => labels.len() - 1,
            _ if row.id.ends_with(".place") => 64,
            _ => 1,
        };
        assert_eq!(max, steps as f64, "{}", row.id);
        let default = instance.value(id);
        let text = instance.text(id, default);
        if !row.id.ends_with(".place") {
            assert_eq!(text, row.table.format(row.table.default), "{}", row.id);
        } else {
            assert_eq!(text, "out");
        }
    }
}

#[test]
fn text_of_any_value_reads_back_as_the_same_text() {
    let entry = host::load();
    let mut instance = host::Instance::new(&entry);
    for (id, name, _, max) in instance.list() {
        for step in 0..=250 {
            let value = max * f64::from(step) / 250.0;
            let text = instance.text(id, value);
            let back = instance.value_of(id, &text);
            let back = back.unwrap_or_else(|| panic!("{name}: `{text}` is not understood"));
            assert!((0.0..=max).contains(&back), "{name}: `{text}` is {back}");
            assert_eq!(instance.text(id, back), text, "{name}");
        }
        assert_eq!(instance.value_of(id, "no such thing"), None, "{name}");
    }
    let threshold = instance.id("Compressor Threshold");
    let value = instance
        .value_of(threshold, "-18")
        .expect("a number alone will do");
    assert_eq!(instance.text(threshold, value), "-18.0 dB");
    let corner = instance.id("Compressor Side-chain corner");
    let value = instance
        .value_of(corner, "0.25k")
        .expect("kilohertz will do");
    assert_eq!(instance.text(corner, value), "250 Hz");
}

#[test]
fn remote_pages_have_every_setting_of_every_module_once_and_no_structure() {
    use clack_extensions::remote_controls::{PluginRemoteControls, RemoteControlsPageBuffer};
    let entry = host::load();
    let mut instance = host::Instance::new(&entry);
    let handle = instance.plugin.plugin_handle();
    let controls: PluginRemoteControls = handle.get_extension().expect("remote controls");
    let mut buffer = RemoteControlsPageBuffer::new();
    let (mut seen, mut pages, mut sections) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..controls.count(&handle) {
        let page = controls.get(&handle, at, &mut buffer).expect("a page");
        let section = String::from_utf8_lossy(page.section_name).into_owned();
        let name = String::from_utf8_lossy(page.page_name).into_owned();
        let on_page: Vec<u32> = page.param_ids.iter().flatten().map(|id| id.get()).collect();
        assert!(!on_page.is_empty(), "{name}");
        assert!(!page.is_for_preset);
        seen.extend(on_page.iter().map(|id| (section.clone(), *id)));
        pages.push((page.page_id.get(), name));
        sections.push(section);
    }
    let rows = rows(&Catalog::builtin());
    let expected = rows
        .iter()
        .filter(|row| !row.table.structural && row.id != "bypass");
    let mut expected: Vec<_> = expected
        .map(|row| (row.group.clone(), number_of(&row.id)))
        .collect();
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, expected, "each once, under its module's name");
    sections.dedup();
    let names: Vec<_> = Catalog::builtin()
        .kinds()
        .iter()
        .map(|kind| kind.name)
        .collect();
    assert_eq!(sections, names, "in the catalogue's order");
    let mut ids: Vec<_> = pages.iter().map(|page| page.0).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(
        ids.len(),
        pages.len(),
        "no two pages have one id: {pages:?}"
    );
    // More than eight settings are several pages, which their names tell apart.
    let mut names: Vec<_> = pages.iter().map(|page| &page.1).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), pages.len(), "{pages:?}");
}

#[test]
fn a_modulation_is_heard_at_its_frame_and_moves_neither_the_parameter_nor_the_state() {
    let entry = host::load();
    let mut instance = host::Instance::new(&entry);
    instance.load_preset("headroom = 1\n[[module]]\nkind = \"gain\"\n");
    instance.start(48_000.0, 9_600);
    let id = instance.id("Gain Gain");
    let (value, state) = (instance.value(id), instance.save());
    let low = instance.value_of(id, "-40 dB").expect("a value");
    let input = host::noise(3, 2, 9_600);
    instance.modulations = vec![host::Set(4_800, id, low - value)];
    let output = instance.process(&input, &[]);
    assert_eq!(output[0][..4_800], input[0][..4_800]);
    let is_low = |output: &[f32]| output.iter().all(|sample| sample.abs() < 0.006);
    assert!(is_low(&output[0][7_200..]), "it is heard");
    assert_eq!(instance.value(id), value);
    assert_eq!(instance.save(), state);
    instance.modulations = vec![host::Set(0, id, 0.0)];
    let output = instance.process(&input, &[]);
    assert_eq!(output[0][7_200..], input[0][7_200..], "and gone");
}
